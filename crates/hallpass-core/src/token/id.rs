use std::fmt;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::base62;
use crate::owner::Owner;

/// The public name of a token: a UUID of version 8 ([RFC 9562, section 5.8]).
///
/// 48 bits of milliseconds, so ids sort by creation; 16 bits of a hash of the owner, so that a
/// cluster can route by the id alone; 58 random bits. It is no secret: logs, lists and support may
/// show it.
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
    /// The id that no token has.
    pub const NIL: Self = Self(Uuid::nil());

    /// How many characters the id takes inside a token.
    pub(crate) const TEXT_LEN: usize = 22;

    /// A fresh id for a token of `owner`.
    ///
    /// # Errors
    ///
    /// The operating system gave no randomness.
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

    /// The 16 bits of the owner that the id carries. Part of the storage format: every version and
    /// every node computes the same.
    #[must_use]
    pub fn owner_tag(&self) -> u16 {
        let (high, low) = self.0.as_u64_pair();
        ((high & 0xFFF) as u16) << 4 | ((low >> 58) & 0xF) as u16
    }

    /// The tag that the ids of this owner's tokens carry.
    #[must_use]
    pub fn tag_of(owner: &Owner) -> u16 {
        let hash = Sha256::digest(owner.as_str().as_bytes());
        u16::from_be_bytes([hash[0], hash[1]])
    }

    /// When it was generated, to the millisecond, as the id says: anybody can write an id.
    #[must_use]
    pub fn generated_at(&self) -> Timestamp {
        let (high, _) = self.0.as_u64_pair();
        let millis = i64::try_from(high >> 16).unwrap_or(0);
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
    }

    /// The id as a UUID.
    #[must_use]
    pub fn as_uuid(&self) -> Uuid {
        self.0
    }

    /// Takes back what [`as_uuid`](Self::as_uuid) gave: for stores.
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

/// The text is no token id: a hyphenated UUID is one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token id is a hyphenated UUID, such as 018f3c1e-7a2b-8c4d-9e5f-0123456789ab")]
pub struct TokenIdError(());

impl std::str::FromStr for TokenId {
    type Err = TokenIdError;

    /// Reads the hyphenated form alone, in either case; braces, URNs and bare hex are refused.
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
    fn an_id_carries_version_variant_time_and_owner() {
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
    fn only_the_hyphenated_form_is_read() {
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
