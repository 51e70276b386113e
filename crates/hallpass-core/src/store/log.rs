//! The change log: what a cache follows to know that what it holds is still true.

use jiff::Timestamp;

use crate::owner::Owner;
use crate::token::TokenId;

/// A number of the change log. Commit order is number order, and there are no gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeSeq(u64);

impl ChangeSeq {
    /// Before the first change.
    pub const ZERO: Self = Self(0);

    /// The number as such.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// A value, and how far the change log had come in the very snapshot it was read from.
#[derive(Clone, Debug)]
pub struct Snapshot<T> {
    /// What was read.
    pub value: T,
    /// Every change up to this one is in the value.
    pub as_of: ChangeSeq,
}

/// A place in the log: a number, and a random nonce that tells two histories apart which a
/// failover made to share numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPosition {
    /// The number.
    pub seq: ChangeSeq,
    /// Drawn with the change; 63 bits, so that every database has a type for it.
    pub nonce: u64,
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeEntry {
    /// Where it stands.
    pub at: LogPosition,
    /// What it voids.
    pub scope: ChangeTarget,
}

/// What a logged change voids in a cache.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeTarget {
    /// One token.
    Token(TokenId),
    /// All tokens of an owner, and what the owner may do.
    Owner(Owner),
}

/// What [`TokenStore::changes`](super::TokenStore::changes) read, in one snapshot.
#[derive(Clone, Debug)]
pub struct ChangeBatch {
    /// The lines from the place asked for on, in order, that place's own line first if it is still kept.
    pub lines: Vec<ChangeEntry>,
    /// How far the log had come.
    pub head: LogPosition,
    /// What time it was for a store that has a clock of its own, on another machine; `None` where that is this
    /// machine's.
    pub time: Option<Timestamp>,
}

/// A nonce for a new line of the log.
///
/// # Errors
///
/// The operating system gave no randomness.
pub fn fresh_nonce() -> Result<u64, getrandom::Error> {
    getrandom::u64().map(|random| random >> 1)
}
