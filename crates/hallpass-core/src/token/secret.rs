//! Secrets of tokens.

use std::fmt;

use zeroize::Zeroizing;

use super::base62;

/// The secret of a token: 43 random base62 characters, which hold 256 bits.
///
/// It is wiped when it is dropped. It cannot be printed, compared with `==`, cloned or serialized.
pub(crate) struct Secret(Zeroizing<[u8; Self::TEXT_LEN]>);

impl Secret {
    /// The length of the secret inside a token, in characters.
    pub(crate) const TEXT_LEN: usize = 43;

    /// The length of the packed secret, in bytes: see [`base62::pack`].
    pub(crate) const PACKED_LEN: usize = 33;

    /// Generates a secret. Each character is drawn uniformly from the operating system's
    /// randomness.
    pub(crate) fn generate() -> Result<Self, getrandom::Error> {
        let mut secret = Self(Zeroizing::new([0; Self::TEXT_LEN]));
        let mut random = Zeroizing::new([0_u8; 64]);
        let mut filled = 0;
        while filled < Self::TEXT_LEN {
            getrandom::fill(&mut random[..])?;
            // Each byte yields six bits. The two values above 61 are thrown away. If they were
            // reduced modulo 62 instead, the digits 0 and 1 would be twice as frequent as the
            // others.
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
        Self(Zeroizing::new(*text))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; Self::TEXT_LEN] {
        &self.0
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
    fn secret_characters_are_uniformly_distributed() {
        let mut counts = [0_u32; 256];
        for _ in 0..2_000 {
            for byte in Secret::generate().unwrap().as_bytes() {
                counts[usize::from(*byte)] += 1;
            }
        }
        // Of 86,000 draws, 1,387 are expected for each of 62 characters, with a standard deviation
        // of 37. Eight deviations are a fault and not chance.
        for digit in 0..62 {
            let count = counts[usize::from(base62::digit(digit))];
            assert!((1_091..=1_683).contains(&count), "digit {digit} came {count} times");
        }
    }

    #[test]
    fn secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::generate().unwrap()), "Secret(..)");
    }
}
