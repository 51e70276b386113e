//! The change log as a cache reads it.

use jiff::Timestamp;

use crate::owner::Owner;
use crate::token::TokenId;

/// The sequence number of a log entry. Numbers are in commit order and have no gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct ChangeSeq(u64);

impl ChangeSeq {
    /// The number before the first entry.
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

/// A value together with the position of the log in the snapshot that it was read from.
#[derive(Clone, Debug)]
pub struct Snapshot<T> {
    /// The value.
    pub value: T,
    /// Every change up to this number is part of the value.
    pub as_of: ChangeSeq,
}

/// A position in the log: a number, and a random nonce that distinguishes two histories that share
/// numbers after a failover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPosition {
    /// The number.
    pub seq: ChangeSeq,
    /// The nonce of the entry with that number: 63 bits, so that every database has a type for it.
    pub nonce: u64,
}

/// One log entry as a cache needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeEntry {
    /// The entry's position.
    pub position: LogPosition,
    /// What the change invalidates.
    pub target: ChangeTarget,
}

/// What a change invalidates in a cache.
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

/// What [`TokenStore::changes`](super::TokenStore::changes) read, in one snapshot.
#[derive(Clone, Debug)]
pub struct ChangeBatch {
    /// The entries in order. The first is the one at the requested position, if it is still kept.
    pub entries: Vec<ChangeEntry>,
    /// The position of the newest entry.
    pub head: LogPosition,
    /// The store's time, if the store has a clock of its own on another machine.
    pub time: Option<Timestamp>,
}

/// Draws a nonce for a new log entry.
///
/// # Errors
///
/// Returns an error if the operating system provides no randomness.
pub fn fresh_nonce() -> Result<u64, getrandom::Error> {
    getrandom::u64().map(|random| random >> 1)
}
