//! The record of a token, its revision and its status.

use jiff::Timestamp;

use crate::metadata::Metadata;
use crate::owner::Owner;
use crate::scope::ScopeSet;
use crate::token::TokenId;

/// The revision of a token. It starts at 1 and increases by one with each change. Using the token
/// does not change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Revision(u64);

impl Revision {
    /// The revision of a new token.
    pub const FIRST: Self = Self(1);

    /// Creates a revision.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns the next revision.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The record of a token: everything that is known about it except its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct TokenRecord {
    /// The public id.
    pub id: TokenId,
    /// The owner.
    pub owner: Owner,
    /// The name: 1 to 100 characters, trimmed, without control or bidirectional-format characters.
    pub name: String,
    /// The description: 0 to 1000 characters. It may contain line breaks and tabs.
    pub description: String,
    /// The scopes that the token holds, at most 100. A token without scopes allows nothing.
    pub scopes: ScopeSet,
    /// The host's own data about the token. Hallpass stores it and never interprets it.
    pub metadata: Metadata,
    /// The time at which the token was issued. All times are UTC with millisecond precision.
    pub created_at: Timestamp,
    /// The time at which the token expires. `None` means never.
    pub expires_at: Option<Timestamp>,
    /// The time at which the token was last accepted, with a precision of about a minute. `None`
    /// means never.
    pub last_used_at: Option<Timestamp>,
    /// The time at which the token was revoked.
    pub revoked_at: Option<Timestamp>,
    /// The time at which the token last got a new secret.
    pub regenerated_at: Option<Timestamp>,
    /// The time at which the previous secret stops working, if there is a grace period. Every store
    /// fills it in from [`Secrets::previous`](crate::store::Secrets::previous).
    pub previous_secret_expires_at: Option<Timestamp>,
    /// The revision: 1 for a new token, and one more with each change.
    pub revision: Revision,
}

impl TokenRecord {
    /// Creates the record of a new token without description, scopes and expiry.
    #[must_use]
    pub fn new(id: TokenId, owner: Owner, name: impl Into<String>, created_at: Timestamp) -> Self {
        Self {
            id,
            owner,
            name: name.into(),
            description: String::new(),
            scopes: ScopeSet::default(),
            metadata: Metadata::default(),
            created_at,
            expires_at: None,
            last_used_at: None,
            revoked_at: None,
            regenerated_at: None,
            previous_secret_expires_at: None,
            revision: Revision::FIRST,
        }
    }

    /// Returns the time at which the current secret was issued. That is the last regeneration or,
    /// if there was none, the creation of the token.
    #[must_use]
    pub fn secret_issued_at(&self) -> Timestamp {
        self.regenerated_at.unwrap_or(self.created_at)
    }

    /// Returns the token's status. Revoked takes precedence over expired, and a token is expired
    /// from the instant `expires_at` on.
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

    /// Returns the time until which the previous secret is accepted, or `None` if it is not
    /// accepted at `now`.
    #[must_use]
    pub fn previous_secret_accepted_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.previous_secret_expires_at
            .filter(|end| now < *end && self.status(now) == Status::Active)
    }
}

/// Returns the minutes since 1970, which is the resolution of `last_used_at`.
pub(crate) fn minute(time: Timestamp) -> u32 {
    u32::try_from(time.as_second().div_euclid(60)).unwrap_or(0)
}

/// The status of a token: whether it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Status {
    /// The token works.
    Active,
    /// The token has expired. Regenerating it makes it active again.
    Expired,
    /// The token is revoked. Regenerating it makes it active again.
    Revoked,
}

impl Status {
    /// Returns `active`, `expired` or `revoked`.
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
    fn token_is_expired_from_the_exact_instant_on() {
        let now: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
        let owner = Owner::new("alice").unwrap();
        let id = TokenId::generate(&owner, now).unwrap();
        let mut record = TokenRecord::new(id, owner, "ci", now);
        record.expires_at = Some(now);
        assert_eq!(record.status(now), Status::Expired);
        let before = now - std::time::Duration::from_millis(1);
        assert_eq!(record.status(before), Status::Active);
        record.revoked_at = Some(now);
        assert_eq!(
            record.status(now),
            Status::Revoked,
            "`revoked` takes precedence over `expired`"
        );
    }
}
