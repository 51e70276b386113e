use std::fmt;

/// The application's mark at the front of every token, `hp` unless the host says otherwise.
///
/// `[a-z][a-z0-9]{0,15}`: it tells people and secret scanners whose token this is, and a service
/// refuses a token with another application's prefix before it asks any store.
///
/// ```
/// use hallpass_core::Prefix;
///
/// let prefix: Prefix = "acme".parse().unwrap();
/// assert_eq!(prefix.as_str(), "acme");
/// assert!("Acme_".parse::<Prefix>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Prefix(Box<str>);

impl Prefix {
    /// The longest prefix, in characters.
    pub const MAX_LEN: usize = 16;

    /// The pattern by which a secret scanner finds tokens with this prefix. A match is worth a look
    /// at its checksum: see [`PresentedToken::inspect`](crate::PresentedToken::inspect).
    ///
    /// ```
    /// assert_eq!(hallpass_core::Prefix::default().token_pattern(), r"\bhp_[0-9A-Za-z]{71}\b");
    /// ```
    #[must_use]
    pub fn token_pattern(&self) -> String {
        super::pattern(self)
    }

    /// The prefix as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Prefix {
    fn default() -> Self {
        Self("hp".into())
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is no prefix: it must be 1 to 16 characters, `a-z` first, then `a-z` or `0-9`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a token prefix is 1 to 16 characters, a lower-case letter first, then lower-case letters or \
     digits: `acme` is one, {0:?} is not"
)]
pub struct PrefixError(String);

impl std::str::FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = text.as_bytes();
        let well_formed = (1..=Self::MAX_LEN).contains(&bytes.len())
            && bytes[0].is_ascii_lowercase()
            && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if well_formed { Ok(Self(text.into())) } else { Err(PrefixError(text.to_owned())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_lower_case_words() {
        for good in ["h", "hp", "acme2", "abcdefghijklmnop"] {
            assert!(good.parse::<Prefix>().is_ok(), "{good}");
        }
        for bad in ["", "2a", "Acme", "a_b", "a-b", "é", "abcdefghijklmnopq", "a "] {
            assert!(bad.parse::<Prefix>().is_err(), "{bad}");
        }
    }
}
