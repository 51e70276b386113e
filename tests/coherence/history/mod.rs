//! What happened in a run: operations, each with its start, its end and what came of it.

mod check;
mod lives;
mod tests;

use std::time::Duration;

pub(crate) use self::check::{Broken, Promise, Report, check};

/// One operation on one node. Times are since the run began, by the clock of one process.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) node: usize,
    pub(crate) start: Duration,
    pub(crate) end: Duration,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Check { credential: Credential, saw: Saw },
    Change(Change),
}

/// One secret of one token, by the numbers that the run gave them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Credential {
    pub(crate) token: usize,
    pub(crate) secret: usize,
}

/// What a check answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Saw {
    /// With these scopes.
    Accepted(String),
    /// 401.
    Refused,
    /// 503.
    Unavailable,
}

#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) of: Subject,
    pub(crate) kind: Kind,
    /// Whether it was answered with `Ok`. If not, it may have happened or not.
    pub(crate) done: bool,
    /// At which revision it left the token, where its answer shows that.
    pub(crate) revision: Option<u64>,
    /// The scopes that it gives: others than any other change.
    pub(crate) scopes: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    Token(usize),
    Owner(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Issued {
        owner: usize,
        secret: usize,
    },
    Regenerated {
        /// None if nobody was told.
        secret: Option<usize>,
        /// Whether the secret before lives on until the new one is used.
        overlap: bool,
    },
    Updated,
    Revoked,
    Deleted,
    /// All of an owner's tokens, revoked or deleted.
    AllEnded,
    Disabled,
    Enabled,
}

impl Operation {
    pub(crate) fn change(&self) -> Option<&Change> {
        match &self.what {
            What::Change(change) => Some(change),
            What::Check { .. } => None,
        }
    }

    /// Whether this was over before the other began, or was committed before it by their revisions.
    fn is_before(&self, other: &Self) -> bool {
        self.end <= other.start
            || match (self.revision(), other.revision()) {
                (Some(mine), Some(others)) => mine.0 == others.0 && mine.1 < others.1,
                _ => false,
            }
    }

    fn is_done(&self) -> bool {
        self.change().is_some_and(|change| change.done)
    }

    /// The scopes that it gives a token.
    fn gives(&self) -> Option<&str> {
        self.change()?.scopes.as_deref()
    }

    /// Which token it left at which revision.
    fn revision(&self) -> Option<(Subject, u64)> {
        let change = self.change()?;
        Some((change.of, change.revision?))
    }
}
