//! Digests as text, for manifests that list the tokens a service must have.

use crate::digest::{Digest, DigestError};
use crate::hex;
use crate::token::PresentedToken;

impl PresentedToken {
    /// Computes the token's digest without a pepper, for [`KnownToken`](crate::KnownToken).
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::without_pepper(self.borrow())
    }
}

impl Digest {
    /// Returns the digest as text: its algorithm, a colon, and 64 hexadecimal digits in lower case.
    ///
    /// A digest does not authenticate anybody. The type still has no `Display`, so that a digest is
    /// not shown by accident.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}:{}", self.algorithm(), hex::encode(self.bytes()))
    }

    /// Parses the text form that [`to_text`](Self::to_text) returns. The digits may be in upper or
    /// lower case.
    ///
    /// ```
    /// use hallpass_core::Digest;
    ///
    /// let digest = Digest::from_parts("sha256-v1", &[7; 32]).unwrap();
    /// assert!(Digest::from_text(&digest.to_text()).unwrap().ct_eq(&digest));
    /// assert!(Digest::from_text("sha256-v1:07").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`DigestError::Text`] if the text has another form, or if this version does not
    /// support the algorithm. The error does not repeat the text, which may be a token that was
    /// passed by mistake.
    pub fn from_text(text: &str) -> Result<Self, DigestError> {
        let (algorithm, digits) = text.rsplit_once(':').ok_or(DigestError::Text)?;
        let bytes = hex::decode(digits).ok_or(DigestError::Text)?;
        Self::from_parts(algorithm, &bytes).map_err(|_| DigestError::Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_round_trips_through_text() {
        let bytes: [u8; 32] = std::array::from_fn(|place| (place * 8 + 3) as u8);
        for algorithm in ["sha256-v1", "hmac-sha256-v1:2026", "hmac-sha256-v1:a.b_c-d"] {
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
    fn invalid_digest_text_is_rejected_and_not_repeated() {
        let hex = "0".repeat(64);
        for bad in [
            "",
            "sha256-v1",
            &*hex,
            &format!("md5:{hex}"),
            &format!("sha256:{hex}"),
            &format!("hmac-sha256-v1:{hex}"),
            &format!("hmac-sha256-v1::{hex}"),
            &format!("sha256-v1:{hex}0"),
            &format!("sha256-v1:{}", &hex[1..]),
            &format!("sha256-v1:{}", &hex[2..]),
            &format!("sha256-v1:g{}", &hex[1..]),
            &format!("sha256-v1: {}", &hex[1..]),
            &format!("sha256-v1:+{}", &hex[1..]),
            &format!("SHA256-V1:{hex}"),
            &format!("sha256-v1:{}é", &hex[2..]),
        ] {
            assert!(matches!(Digest::from_text(bad), Err(DigestError::Text)), "{bad}");
        }
        let message = DigestError::Text.to_string();
        assert!(message.contains("sha256-v1") && !message.contains('0'), "{message}");
    }
}
