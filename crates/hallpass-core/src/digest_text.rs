//! A digest as a text, for manifests that say which tokens have to exist.

use std::fmt::Write as _;

use crate::digest::{Digest, DigestError};
use crate::token::PresentedToken;

impl PresentedToken {
    /// Returns the token's digest without a pepper, by which
    /// [`Hallpass::ensure`](crate::Hallpass::ensure) knows the token.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::without_pepper(self.borrow())
    }
}

impl Digest {
    /// Writes the digest as its algorithm, a colon and 64 hexadecimal digits in lower case.
    ///
    /// Nobody gets in with it. There is no `Display` all the same, so that no digest is shown by
    /// accident.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{}:", self.algorithm());
        for byte in self.bytes() {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// Parses what [`to_text`](Self::to_text) wrote. The digits may be in either case.
    ///
    /// ```
    /// use hallpass_core::Digest;
    ///
    /// let digest = Digest::from_parts("sha256", &[7; 32]).unwrap();
    /// assert!(Digest::from_text(&digest.to_text()).unwrap().ct_eq(&digest));
    /// assert!(Digest::from_text("sha256:07").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error for another form, and for an algorithm that this version does not know. The
    /// error does not repeat the text, because it may be a token that was given by mistake.
    pub fn from_text(text: &str) -> Result<Self, DigestError> {
        let (algorithm, digits) = text.rsplit_once(':').ok_or(DigestError::Text)?;
        let bytes = from_hex(digits).ok_or(DigestError::Text)?;
        Self::from_parts(algorithm, &bytes).map_err(|_| DigestError::Text)
    }
}

fn from_hex(digits: &str) -> Option<[u8; 32]> {
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    let pairs: &[[u8; 2]; 32] = pairs.try_into().ok()?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        let digit = |place: usize| char::from(pair[place]).to_digit(16);
        *byte = u8::try_from(digit(0)? << 4 | digit(1)?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_survives_its_text() {
        let bytes: [u8; 32] = std::array::from_fn(|place| (place * 8 + 3) as u8);
        for algorithm in ["sha256", "sha256-v2", "hmac-sha256:2026", "hmac-sha256-v2:a.b_c-d"] {
            let digest = Digest::from_parts(algorithm, &bytes).unwrap();
            let text = digest.to_text();
            assert!(text.starts_with(&format!("{algorithm}:030b131b")), "{text}");
            assert_eq!(text.len(), algorithm.len() + 1 + 64);
            assert!(Digest::from_text(&text).unwrap().ct_eq(&digest));
            let upper = text.replace("030b131b", "030B131B");
            assert!(Digest::from_text(&upper).unwrap().ct_eq(&digest));
        }
    }

    #[test]
    fn what_is_none_is_refused_and_not_repeated() {
        let hex = "0".repeat(64);
        for bad in [
            "",
            "sha256",
            &*hex,
            &format!("md5:{hex}"),
            &format!("hmac-sha256:{hex}"),
            &format!("hmac-sha256::{hex}"),
            &format!("sha256:{hex}0"),
            &format!("sha256:{}", &hex[1..]),
            &format!("sha256:{}", &hex[2..]),
            &format!("sha256:g{}", &hex[1..]),
            &format!("sha256: {}", &hex[1..]),
            &format!("sha256:+{}", &hex[1..]),
            &format!("SHA256:{hex}"),
            &format!("sha256:{}é", &hex[2..]),
        ] {
            assert!(matches!(Digest::from_text(bad), Err(DigestError::Text)), "{bad}");
        }
        let said = DigestError::Text.to_string();
        assert!(said.contains("sha256-v2") && !said.contains('0'), "{said}");
    }
}
