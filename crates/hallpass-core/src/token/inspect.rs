//! Parsing of tokens outside a service, for tools such as a command line or a secret scanner.

use super::layout::{BODY_LEN, read};
use super::{ChecksumKey, Checksums, Prefix, PresentedToken, base62};

/// The error for a text that is not a token of any application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseTokenError {
    /// The text does not start with a prefix and an underscore.
    #[error("a token starts with its application's prefix and `_`, such as `hp_`")]
    Prefix,
    /// The part after the prefix is too short or too long.
    #[error("a token has {BODY_LEN} characters after its prefix, but this text has {found}")]
    #[non_exhaustive]
    Length {
        /// The number of bytes after the prefix.
        found: usize,
    },
    /// The part after the prefix contains characters that are not letters or digits.
    #[error("a token has only letters and digits after its prefix")]
    Characters,
    /// The last six characters are not the checksum of those before.
    #[error(
        "wrong checksum: the token was mistyped or truncated, or its checksum was computed with a \
         key"
    )]
    Checksum,
    /// The checksum is right, but the id is out of range.
    #[error("invalid token id: this token was never issued")]
    Id,
}

impl PresentedToken {
    /// Parses a token of any application. The error explains what is wrong with the text.
    ///
    /// This uses neither a store nor a handle, so it cannot determine whether the token works.
    ///
    /// ```
    /// use hallpass_core::{ParseTokenError, PresentedToken};
    ///
    /// assert_eq!(PresentedToken::inspect("wonderland").unwrap_err(), ParseTokenError::Prefix);
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the first [`ParseTokenError`] that applies, in the order of declaration. For a token
    /// with a keyed checksum this is [`ParseTokenError::Checksum`]: use
    /// [`inspect_keyed`](Self::inspect_keyed) for it.
    pub fn inspect(text: &str) -> Result<(Prefix, Self), ParseTokenError> {
        Self::inspect_with(text, &Checksums::UNKEYED)
    }

    /// Parses a token with a keyed checksum: see
    /// [`HallpassBuilder::checksum_key`](crate::HallpassBuilder::checksum_key).
    ///
    /// # Errors
    ///
    /// Returns the first [`ParseTokenError`] that applies, in the order of declaration.
    pub fn inspect_keyed(text: &str, key: &ChecksumKey) -> Result<(Prefix, Self), ParseTokenError> {
        Self::inspect_with(text, &Checksums::keyed(vec![key.clone()], false))
    }

    fn inspect_with(text: &str, checksums: &Checksums) -> Result<(Prefix, Self), ParseTokenError> {
        let (prefix, body) = text.split_once('_').ok_or(ParseTokenError::Prefix)?;
        let prefix: Prefix = prefix.parse().map_err(|_| ParseTokenError::Prefix)?;
        let body: &[u8; BODY_LEN] = body
            .as_bytes()
            .try_into()
            .map_err(|_| ParseTokenError::Length { found: body.len() })?;
        if !base62::are_digits(body) {
            return Err(ParseTokenError::Characters);
        }
        match read(text.as_bytes(), std::slice::from_ref(&prefix), checksums) {
            Some(token) => Ok((prefix, Self::new(token))),
            None if checksums.strip(text.as_bytes()).is_some() => Err(ParseTokenError::Id),
            None => Err(ParseTokenError::Checksum),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::owner::Owner;
    use crate::token::{PlainToken, Secret, TokenId};

    #[test]
    fn inspect_reads_a_token_and_explains_an_invalid_one() {
        let now = "2026-11-22T04:44:57.123Z".parse::<Timestamp>().unwrap();
        let id = TokenId::generate(&Owner::new("alice").unwrap(), now).unwrap();
        let prefix: Prefix = "acme".parse().unwrap();
        let token =
            PlainToken::assemble(&prefix, id, &Secret::generate().unwrap(), &Checksums::UNKEYED);
        let text = token.reveal();
        let (read, presented) = PresentedToken::inspect(text).unwrap();
        assert_eq!((read, presented.id()), (prefix, id));
        assert_eq!(presented.id().generated_at(), now);

        let why = |text: &str| PresentedToken::inspect(text).unwrap_err();
        for none in ["", "_", "hp", "Hp_x", "2_x", &text.replace("acme", "")] {
            assert_eq!(why(none), ParseTokenError::Prefix, "{none}");
        }
        assert_eq!(why(&text[..text.len() - 1]), ParseTokenError::Length { found: 70 });
        assert_eq!(why(&format!("{text}\n")), ParseTokenError::Length { found: 72 });
        assert_eq!(why(&text.replace("acme", "acme_")), ParseTokenError::Length { found: 72 });
        assert_eq!(why(&format!("{}-", &text[..text.len() - 1])), ParseTokenError::Characters);
        assert_eq!(why(&text.replace("acme", "acmf")), ParseTokenError::Checksum);
        assert_eq!(why(&format!("hp_{}", "0".repeat(71))), ParseTokenError::Checksum);
        // 62^22 - 1 is more than 2^128.
        let body = format!("hp_{}{}", "z".repeat(22), "0".repeat(43));
        let sum = crc32fast::hash(body.as_bytes());
        let mut digits = [0; 6];
        base62::encode(u128::from(sum), &mut digits);
        let body = format!("{body}{}", std::str::from_utf8(&digits).unwrap());
        assert_eq!(why(&body), ParseTokenError::Id);
    }
}
