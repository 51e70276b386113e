use std::fmt;

use zeroize::Zeroize;

use super::base62;

/// The 43 characters of a token that only its holder knows: 256 bits, wiped when dropped.
///
/// It cannot be printed, compared with `==`, cloned or serialized.
pub(crate) struct Secret([u8; Self::TEXT_LEN]);

impl Secret {
    /// How many characters the secret takes inside a token.
    pub(crate) const TEXT_LEN: usize = 43;

    /// Draws each character uniformly from the operating system's randomness.
    pub(crate) fn generate() -> Result<Self, getrandom::Error> {
        let mut secret = Self([0; Self::TEXT_LEN]);
        let mut random = zeroize::Zeroizing::new([0_u8; 64]);
        let mut filled = 0;
        while filled < Self::TEXT_LEN {
            getrandom::fill(&mut random[..])?;
            // Six bits a byte; the two values past 61 are thrown away, or 0 and 1 would come more often.
            for value in random.iter().map(|byte| byte & 63).filter(|value| *value < 62) {
                if filled == Self::TEXT_LEN {
                    break;
                }
                secret.0[filled] = base62::digit(value);
                filled += 1;
            }
        }
        Ok(secret)
    }

    #[cfg(test)]
    pub(crate) fn from_bytes(text: &[u8; Self::TEXT_LEN]) -> Self {
        Self(*text)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; Self::TEXT_LEN] {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_comes_about_as_often() {
        let mut seen = [0_u32; 256];
        for _ in 0..2_000 {
            for byte in Secret::generate().unwrap().as_bytes() {
                seen[usize::from(*byte)] += 1;
            }
        }
        // 86,000 draws over 62 characters: 1,387 expected, a standard deviation of 37. Eight of
        // those either way is a fault, not chance; a modulo bias would be 25 % off.
        for digit in 0..62 {
            let count = seen[usize::from(base62::digit(digit))];
            assert!((1_091..=1_683).contains(&count), "digit {digit} came {count} times");
        }
    }

    #[test]
    fn it_prints_nothing() {
        assert_eq!(format!("{:?}", Secret::generate().unwrap()), "Secret(..)");
    }
}
