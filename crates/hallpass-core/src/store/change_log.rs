//! The change log as a cache follows it.

use jiff::Timestamp;

use crate::owner::Owner;
use crate::token::TokenId;

/// The sequence number of a log entry. The numbers are in commit order and have no gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct ChangeSeq(u64);

impl ChangeSeq {
    /// The number before that of the first entry.
    pub const ZERO: Self = Self(0);

    /// Creates a sequence number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns the number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// A value, together with the sequence number of the log in the snapshot that it was read from.
#[derive(Clone, Debug)]
pub struct Snapshot<T> {
    /// The value.
    pub value: T,
    /// The sequence number. The value reflects every change up to it.
    pub as_of: ChangeSeq,
}

/// A position in the log: a sequence number and a random nonce.
///
/// After a failover that lost changes, the new primary assigns the same numbers to other changes.
/// The nonce distinguishes the two histories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPosition {
    /// The sequence number.
    pub seq: ChangeSeq,
    /// The nonce of the entry with that number. It has 63 bits, so that it fits into the signed
    /// 64-bit integers of databases.
    pub nonce: u64,
}

/// The part of a log entry that a cache needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeEntry {
    /// The entry's position.
    pub position: LogPosition,
    /// The cached data that the change invalidates.
    pub target: ChangeTarget,
}

/// The cached data that a change invalidates.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeTarget {
    /// Nothing.
    None,
    /// One token.
    Token(TokenId),
    /// All tokens of an owner, and the owner's status.
    Owner(Owner),
    /// Everything.
    All,
}

/// The result of [`TokenStore::changes`](super::TokenStore::changes), read from one snapshot.
#[derive(Clone, Debug)]
pub struct ChangeBatch {
    /// The entries in order. The first is the one at the requested position, if the log still
    /// contains it.
    pub entries: Vec<ChangeEntry>,
    /// The position of the newest entry.
    pub head: LogPosition,
    /// The store's time, if the store runs on another machine with its own clock.
    pub time: Option<Timestamp>,
}

/// Generates a nonce for a new log entry.
///
/// # Errors
///
/// Returns an error if the operating system provides no randomness.
pub fn fresh_nonce() -> Result<u64, getrandom::Error> {
    getrandom::u64().map(|random| random >> 1)
}
