use jiff::Timestamp;

use crate::owner::Owner;
use crate::scope::ScopeSet;
use crate::token::TokenId;

/// How often a token was changed by somebody: starts at 1, goes up by one with each change. A use
/// of the token is no change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(u64);

impl Revision {
    /// The revision of a token just issued.
    pub const FIRST: Self = Self(1);

    /// The revision of that number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The revision after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Everything about a token but its secret: what lists and pages show.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRecord {
    /// The public name.
    pub id: TokenId,
    /// Whose it is.
    pub owner: Owner,
    /// 1 to 100 characters, trimmed, without control or bidirectional-format characters.
    pub name: String,
    /// 0 to 1000 characters; may hold line breaks and tabs.
    pub description: String,
    /// What it may do, at most 100; nothing if empty.
    pub scopes: ScopeSet,
    /// When it was issued. All times are UTC, to the millisecond.
    pub created_at: Timestamp,
    /// From when on it is refused; never if absent.
    pub expires_at: Option<Timestamp>,
    /// When it was last accepted, to the minute or so; never if absent.
    pub last_used_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
    /// When it last got a new secret.
    pub regenerated_at: Option<Timestamp>,
    /// How often it was changed.
    pub revision: Revision,
}

impl TokenRecord {
    /// A record as it is when a token has just been issued: no description, no scopes, no expiry.
    #[must_use]
    pub fn new(id: TokenId, owner: Owner, name: impl Into<String>, created_at: Timestamp) -> Self {
        Self {
            id,
            owner,
            name: name.into(),
            description: String::new(),
            scopes: ScopeSet::default(),
            created_at,
            expires_at: None,
            last_used_at: None,
            revoked_at: None,
            regenerated_at: None,
            revision: Revision::FIRST,
        }
    }

    /// Revoked, else expired (from `expires_at` on), else active.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        if self.revoked_at.is_some() {
            Status::Revoked
        } else if self.expires_at.is_some_and(|end| now >= end) {
            Status::Expired
        } else {
            Status::Active
        }
    }
}

/// The minute since 1970, which is how fine `last_used_at` is.
pub(crate) fn minute(time: Timestamp) -> u32 {
    u32::try_from(time.as_second().div_euclid(60)).unwrap_or(0)
}

/// Whether a token works, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It works.
    Active,
    /// Its time is over; regenerating it brings it back.
    Expired,
    /// It was taken back; regenerating it brings it back.
    Revoked,
}

impl Status {
    /// `active`, `expired` or `revoked`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_expired_from_the_very_instant_on() {
        let now: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
        let owner = Owner::new("alice").unwrap();
        let id = TokenId::generate(&owner, now).unwrap();
        let mut record = TokenRecord::new(id, owner, "ci", now);
        record.expires_at = Some(now);
        assert_eq!(record.status(now), Status::Expired);
        let before = now - std::time::Duration::from_millis(1);
        assert_eq!(record.status(before), Status::Active);
        record.revoked_at = Some(now);
        assert_eq!(record.status(now), Status::Revoked, "revoked comes before expired");
    }
}
