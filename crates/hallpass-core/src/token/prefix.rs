//! Prefixes of tokens.

use std::fmt;

use super::layout::BODY_LEN;

/// The prefix of an application's tokens. The default is `hp`.
///
/// A prefix matches `[a-z][a-z0-9]{0,15}`. It shows people and secret scanners which application a
/// token belongs to. A service rejects a token with another prefix without querying its store.
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
    /// The maximum length, in characters.
    pub const MAX_LEN: usize = 16;

    /// Returns the regular expression that a secret scanner uses to find tokens with this prefix.
    /// The scanner can then verify the checksum of a match with
    /// [`PresentedToken::inspect`](crate::PresentedToken::inspect).
    ///
    /// ```
    /// assert_eq!(hallpass_core::Prefix::default().token_pattern(), r"\bhp_[0-9A-Za-z]{71}\b");
    /// ```
    #[must_use]
    pub fn token_pattern(&self) -> String {
        format!("\\b{self}_[0-9A-Za-z]{{{BODY_LEN}}}\\b")
    }

    /// Returns the prefix as text.
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

/// The error for a text that is not a valid prefix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid token prefix {0:?}: use 1 to 16 lower-case letters and digits, starting with a letter, \
     such as `acme`"
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
    fn prefix_is_a_short_lower_case_word() {
        for good in ["h", "hp", "acme2", "abcdefghijklmnop"] {
            assert!(good.parse::<Prefix>().is_ok(), "{good}");
        }
        for bad in ["", "2a", "Acme", "a_b", "a-b", "é", "abcdefghijklmnopq", "a "] {
            assert!(bad.parse::<Prefix>().is_err(), "{bad}");
        }
    }
}
