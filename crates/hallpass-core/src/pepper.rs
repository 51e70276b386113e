//! Peppers: secret keys for digests, and their names.

use std::fmt;

use crate::hmac_key::HmacKey;

/// The name of a pepper: 1 to 32 of the characters `A-Z a-z 0-9 . _ -`. Each digest stores the name
/// of its pepper.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(Box<str>);

impl KeyId {
    /// Returns the name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The error for a text that is not a valid key id.
///
/// The message does not repeat the text, because it may be a key that was passed as the id by
/// mistake.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key id is 1 to 32 letters, digits, dots, hyphens or underscores")]
pub struct KeyIdError(());

impl std::str::FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if (1..=32).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(KeyIdError(()))
        }
    }
}

/// A secret key for digests, which the host keeps outside the store. Without the pepper, an
/// attacker who steals the store cannot even verify a guessed token.
///
/// A pepper has at least 32 bytes. It is wiped when it is dropped, and never printed.
pub(crate) struct Pepper(HmacKey);

impl Pepper {
    /// Creates a pepper from its bytes. Returns an error if there are fewer than 32 bytes.
    pub(crate) fn new(key: impl Into<Vec<u8>>) -> Result<Self, PepperError> {
        HmacKey::new(key).map(Self).map_err(PepperError)
    }

    /// Computes the tag of a message under this pepper.
    pub(crate) fn tag(&self, message: &[u8]) -> [u8; 32] {
        self.0.tag(&[message])
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(..)")
    }
}

/// The error for a pepper that is too short.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a pepper needs at least 32 bytes, but this one has {0}: create one with `openssl rand -hex 32`"
)]
pub struct PepperError(usize);
