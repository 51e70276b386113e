//! The history of a run: operations, each with its start, its end and its outcome.

mod check;
mod tests;
mod validity;

use std::time::Duration;

pub(crate) use self::check::{Promise, Report, ViolationKind, check};

/// One operation on one node. Times are relative to the start of the run, measured by the clock of
/// the test process.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) node: usize,
    pub(crate) start: Duration,
    pub(crate) end: Duration,
    pub(crate) event: Event,
}

/// The action of an operation, together with its result.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Check { credential: Credential, verdict: Verdict },
    Change(Change),
}

/// One secret of one token. The run numbers both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Credential {
    pub(crate) token: usize,
    pub(crate) secret: usize,
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The token was accepted with these scopes.
    Accepted(String),
    /// The token was rejected (401).
    Rejected,
    /// The token could not be checked (503).
    Unavailable,
}

/// A change of a token or of all tokens of an owner.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) of: Subject,
    pub(crate) kind: ChangeKind,
    /// Whether the call returned `Ok`. If not, the change may or may not have been made.
    pub(crate) done: bool,
    /// The revision of the token after the change, if the call returned it.
    pub(crate) revision: Option<u64>,
    /// The scopes that the change sets. No two changes set the same scopes.
    pub(crate) scopes: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    Token(usize),
    Owner(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    Issued {
        owner: usize,
        secret: usize,
    },
    Regenerated {
        /// The new secret, or `None` if the reply was lost.
        secret: Option<usize>,
        /// Whether the previous secret stays valid until the new one is used.
        grace_period: bool,
    },
    Updated,
    Revoked,
    Deleted,
    /// All tokens of an owner were revoked or deleted.
    AllEnded,
    Disabled,
    Enabled,
}

impl Operation {
    pub(crate) fn change(&self) -> Option<&Change> {
        match &self.event {
            Event::Change(change) => Some(change),
            Event::Check { .. } => None,
        }
    }

    /// Returns whether this operation certainly took effect before `other`: it ended before the
    /// other one began, or the revisions of the token show the order.
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

    /// Returns the scopes that this change sets, if any.
    fn sets_scopes(&self) -> Option<&str> {
        self.change()?.scopes.as_deref()
    }

    /// Returns the changed token and its new revision, if it is known.
    fn revision(&self) -> Option<(Subject, u64)> {
        let change = self.change()?;
        Some((change.of, change.revision?))
    }
}
