use jiff::Timestamp;

use crate::metadata::Metadata;
use crate::owner::Owner;
use crate::scope::ScopeSet;
use crate::token::TokenId;

/// How many times a token was changed. It starts at 1 and goes up by one with each change. Using a
/// token does not change it.
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

/// Everything about a token except its secret.
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
    /// The description: 0 to 1000 characters. May contain line breaks and tabs.
    pub description: String,
    /// What the token may do: at most 100 scopes. Without scopes, it may do nothing.
    pub scopes: ScopeSet,
    /// The host's own data about the token. Hallpass stores it and never interprets it.
    pub metadata: Metadata,
    /// When the token was issued. All times are UTC with millisecond precision.
    pub created_at: Timestamp,
    /// When the token expires. `None` means never.
    pub expires_at: Option<Timestamp>,
    /// When the token was last accepted, to about a minute. `None` means never.
    pub last_used_at: Option<Timestamp>,
    /// When the token was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When the token last got a new secret.
    pub regenerated_at: Option<Timestamp>,
    /// When the previous secret stops working, if a grace period was given. Every store fills this
    /// in from [`Secrets::previous`](crate::store::Secrets::previous).
    pub previous_secret_expires_at: Option<Timestamp>,
    /// How many times the token was changed, starting at 1.
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

    /// Returns when the current secret was issued: at the last regeneration, or else when the token
    /// was created.
    #[must_use]
    pub fn secret_issued_at(&self) -> Timestamp {
        self.regenerated_at.unwrap_or(self.created_at)
    }

    /// Returns the token's status: revoked, or else expired from `expires_at` on, or else active.
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

/// Returns the minute since 1970. `last_used_at` has this resolution.
pub(crate) fn minute(time: Timestamp) -> u32 {
    u32::try_from(time.as_second().div_euclid(60)).unwrap_or(0)
}

/// Whether a token works, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Status {
    /// The token works.
    Active,
    /// The token has expired. Regenerating makes it active again.
    Expired,
    /// The token is revoked. Regenerating makes it active again.
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
