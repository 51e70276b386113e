//! The public id of a token.

use std::fmt;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::base62;
use crate::owner::Owner;

/// The public id of a token: a UUID of version 8 ([RFC 9562, section 5.8]).
///
/// | bits | content | purpose |
/// |---|---|---|
/// | 48 | the time of creation in milliseconds | ids sort by creation |
/// | 16 | a hash of the owner | a cluster finds the owner's shard from the id alone |
/// | 58 | random | ids are unique |
///
/// An id is not secret. Logs, lists and support may show it.
///
/// ```
/// use hallpass_core::TokenId;
///
/// let id: TokenId = "018f3c1e-7a2b-8c4d-9e5f-0123456789ab".parse().unwrap();
/// assert_eq!(id.to_string(), "018f3c1e-7a2b-8c4d-9e5f-0123456789ab");
/// ```
///
/// [RFC 9562, section 5.8]: https://www.rfc-editor.org/rfc/rfc9562#section-5.8
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(Uuid);

impl TokenId {
    /// The nil id, which is never assigned to a token.
    pub const NIL: Self = Self(Uuid::nil());

    /// The length of the id inside a token, in characters.
    pub(crate) const TEXT_LEN: usize = 22;

    /// Generates an id for a new token of `owner`.
    ///
    /// # Errors
    ///
    /// Returns an error if the operating system provides no randomness.
    pub fn generate(owner: &Owner, now: Timestamp) -> Result<Self, getrandom::Error> {
        let mut random = [0; 8];
        getrandom::fill(&mut random)?;
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0) & 0xFFFF_FFFF_FFFF;
        let tag = Self::tag_of(owner);
        let high = (millis << 16) | 0x8000 | u64::from(tag >> 4);
        let low = (0b10 << 62)
            | (u64::from(tag & 0xF) << 58)
            | (u64::from_be_bytes(random) & ((1 << 58) - 1));
        Ok(Self(Uuid::from_u64_pair(high, low)))
    }

    /// Returns the tag of the owner that the id contains. See [`tag_of`](Self::tag_of).
    #[must_use]
    pub fn owner_tag(&self) -> u16 {
        let (high, low) = self.0.as_u64_pair();
        ((high & 0xFFF) as u16) << 4 | ((low >> 58) & 0xF) as u16
    }

    /// Computes the owner tag that the ids of an owner's tokens contain: 16 bits of a hash.
    ///
    /// The tag is part of the storage format. Every version and every node computes the same one.
    #[must_use]
    pub fn tag_of(owner: &Owner) -> u16 {
        let hash = Sha256::digest(owner.as_str().as_bytes());
        u16::from_be_bytes([hash[0], hash[1]])
    }

    /// Returns the time at which the id was generated, with millisecond precision. Anybody can
    /// write an id, so the time is reliable only if the token exists.
    #[must_use]
    pub fn generated_at(&self) -> Timestamp {
        let (high, _) = self.0.as_u64_pair();
        let millis = i64::try_from(high >> 16).unwrap_or(0);
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
    }

    /// Returns the id as a UUID.
    #[must_use]
    pub fn as_uuid(&self) -> Uuid {
        self.0
    }

    /// Creates an id from a UUID that [`as_uuid`](Self::as_uuid) returned. A store uses it to read
    /// an id.
    #[must_use]
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    pub(crate) fn write_base62(self, out: &mut [u8]) {
        base62::encode(self.0.as_u128(), out);
    }

    pub(crate) fn read_base62(text: &[u8; Self::TEXT_LEN]) -> Option<Self> {
        base62::decode(text).map(|value| Self(Uuid::from_u128(value)))
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.hyphenated(), f)
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The error for a text that is not a token id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token id is a hyphenated UUID, such as 018f3c1e-7a2b-8c4d-9e5f-0123456789ab")]
pub struct TokenIdError(());

impl std::str::FromStr for TokenId {
    type Err = TokenIdError;

    /// Parses the hyphenated form, in upper or lower case. Other forms of UUIDs are errors: braces,
    /// URNs and digits without hyphens.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 36 {
            return Err(TokenIdError(()));
        }
        Uuid::try_parse(text).map(Self).map_err(|_| TokenIdError(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_contains_version_variant_time_and_owner() {
        let owner = Owner::new("alice").unwrap();
        let now: Timestamp = "2026-11-22T04:44:57Z".parse().unwrap();
        let id = TokenId::generate(&owner, now).unwrap();
        assert_eq!(id.as_uuid().get_version_num(), 8);
        assert_eq!(id.as_uuid().get_variant(), uuid::Variant::RFC4122);
        assert_eq!(id.owner_tag(), TokenId::tag_of(&owner));
        let millis = (id.as_uuid().as_u128() >> 80) as i64;
        assert_eq!(millis, now.as_millisecond());
        assert_ne!(id, TokenId::generate(&owner, now).unwrap());
    }

    #[test]
    fn only_hyphenated_ids_are_accepted() {
        let text = "018f3c1e-7a2b-8c4d-9e5f-0123456789ab";
        assert!(text.parse::<TokenId>().is_ok());
        assert!(text.to_uppercase().parse::<TokenId>().is_ok());
        for bad in [
            "018f3c1e7a2b8c4d9e5f0123456789ab",
            "{018f3c1e-7a2b-8c4d-9e5f-0123456789ab}",
            "urn:uuid:018f3c1e-7a2b-8c4d-9e5f-0123456789ab",
            "018f3c1e-7a2b-8c4d-9e5f-0123456789a",
            "",
        ] {
            assert!(bad.parse::<TokenId>().is_err(), "{bad}");
        }
    }
}
