//! From the changes: when a secret began to be good, when it certainly was good no more, and from
//! when on it may not have been.

use std::collections::HashMap;
use std::time::Duration;

use super::check::Promise;
use super::{Change, Credential, Kind, Operation, Saw, Subject, What};

/// The operations, by what they are about.
#[derive(Default)]
pub(super) struct Index<'h> {
    tokens: HashMap<usize, Token<'h>>,
    owners: HashMap<usize, Vec<&'h Operation>>,
}

#[derive(Default)]
struct Token<'h> {
    owner: usize,
    changes: Vec<&'h Operation>,
    checks: HashMap<usize, Vec<&'h Operation>>,
}

/// The life of one secret.
pub(super) struct Life<'h> {
    pub(super) born: &'h Operation,
    /// What certainly ended it.
    pub(super) deaths: Vec<Death<'h>>,
    /// From when on something may have ended it.
    pub(super) threatened: Option<Duration>,
}

/// An end, and from when on whom it binds.
pub(super) struct Death<'h> {
    pub(super) by: &'h Operation,
    node: usize,
    at: Duration,
    /// Whether the other nodes hear of it.
    everywhere: bool,
}

impl Death<'_> {
    /// From when on no check on that node may accept.
    pub(super) fn binds(&self, node: usize, promise: &Promise) -> Option<Duration> {
        if self.node == node {
            Some(self.at)
        } else {
            self.everywhere.then(|| self.at + promise.bound)
        }
    }
}

impl<'h> Index<'h> {
    pub(super) fn of(history: &'h [Operation]) -> Self {
        let mut index = Self::default();
        for operation in history {
            match &operation.what {
                What::Check { credential, .. } => {
                    let token = index.tokens.entry(credential.token).or_default();
                    token.checks.entry(credential.secret).or_default().push(operation);
                }
                What::Change(Change { of: Subject::Token(token), kind, .. }) => {
                    let token = index.tokens.entry(*token).or_default();
                    if let Kind::Issued { owner, .. } = kind {
                        token.owner = *owner;
                    }
                    token.changes.push(operation);
                }
                What::Change(Change { of: Subject::Owner(owner), .. }) => {
                    index.owners.entry(*owner).or_default().push(operation);
                }
            }
        }
        index
    }

    /// Every credential that the history shows to have been made.
    pub(super) fn credentials(&self) -> impl Iterator<Item = (Credential, &[&'h Operation])> {
        self.tokens.iter().flat_map(|(&number, token)| {
            token.checks.iter().map(move |(&secret, checks)| {
                (Credential { token: number, secret }, checks.as_slice())
            })
        })
    }

    pub(super) fn changes_of(&self, token: usize) -> &[&'h Operation] {
        &self.tokens[&token].changes
    }

    /// What was said of the owner of a token: disabled, enabled.
    pub(super) fn standings_of(&self, token: usize) -> impl Iterator<Item = &'h Operation> {
        let said = self.owners.get(&self.tokens[&token].owner);
        said.into_iter()
            .flatten()
            .copied()
            .filter(|operation| matches!(kind(operation), Some(Kind::Disabled | Kind::Enabled)))
    }

    pub(super) fn life(&self, of: Credential, promise: &Promise) -> Option<Life<'h>> {
        let token = &self.tokens[&of.token];
        let born = *token.changes.iter().find(|change| makes(change) == Some(of.secret))?;
        let mut life = Life { born, deaths: Vec::new(), threatened: None };
        let of_owner = self.owners.get(&token.owner).into_iter().flatten();
        for &change in token.changes.iter().chain(of_owner) {
            if std::ptr::eq(change, born) || change.is_before(born) {
                continue;
            }
            match kind(change) {
                Some(Kind::Revoked | Kind::Deleted | Kind::AllEnded) => life.ended_by(change),
                Some(Kind::Regenerated { overlap: false, .. }) => life.ended_by(change),
                Some(Kind::Regenerated { secret, overlap: true }) => {
                    token.overlapped(&mut life, change, secret, promise);
                }
                _ => {}
            }
        }
        Some(life)
    }
}

impl<'h> Life<'h> {
    fn ended_by(&mut self, change: &'h Operation) {
        self.may_be_ended_from(change.start);
        if change.is_done() && self.born.is_before(change) {
            let (node, at) = (change.node, change.end);
            self.deaths.push(Death { by: change, node, at, everywhere: true });
        }
    }

    fn may_be_ended_from(&mut self, start: Duration) {
        self.threatened = Some(self.threatened.map_or(start, |before| before.min(start)));
    }
}

impl<'h> Token<'h> {
    /// A regeneration lets the secret right before it live on, until its own is first used. Those
    /// before that one end.
    fn overlapped(
        &self,
        life: &mut Life<'h>,
        regeneration: &'h Operation,
        secret: Option<usize>,
        promise: &Promise,
    ) {
        let born = life.born;
        let between = |other: &&&Operation| {
            matches!(kind(other), Some(Kind::Regenerated { .. }))
                && !std::ptr::eq(**other, born)
                && !std::ptr::eq(**other, regeneration)
                && !other.is_before(born)
                && !regeneration.is_before(other)
        };
        let certainly_between = |other: &&Operation| {
            other.is_done() && born.is_before(other) && other.is_before(regeneration)
        };
        if self.changes.iter().filter(between).any(certainly_between) {
            life.ended_by(regeneration);
            return;
        }
        if self.changes.iter().any(|other| between(&other)) {
            life.may_be_ended_from(regeneration.start);
        }
        let uses = secret.and_then(|secret| self.checks.get(&secret)).into_iter().flatten();
        for first in uses.clone() {
            life.may_be_ended_from(first.start);
        }
        if !born.is_before(regeneration) {
            return;
        }
        let mut first: HashMap<usize, &'h Operation> = HashMap::new();
        for accepted in uses.clone().filter(|check| is_accepted(check)) {
            let earliest = first.entry(accepted.node).or_insert(accepted);
            if accepted.end < earliest.end {
                *earliest = accepted;
            }
        }
        for (node, by) in first {
            life.deaths.push(Death { by, node, at: by.end, everywhere: false });
            if promise.overlaps_end_everywhere {
                // Of uses at the same time one stores the end: it had begun when the first was
                // over.
                let one_of = uses.clone().filter(|check| {
                    check.node == node && is_accepted(check) && check.start <= by.end
                });
                let at = one_of.map(|check| check.end).max().unwrap_or(by.end);
                life.deaths.push(Death { by, node, at, everywhere: true });
            }
        }
    }
}

fn kind(operation: &Operation) -> Option<Kind> {
    operation.change().map(|change| change.kind)
}

/// The secret that a change made known.
fn makes(operation: &Operation) -> Option<usize> {
    match kind(operation)? {
        Kind::Issued { secret, .. } => Some(secret),
        Kind::Regenerated { secret, .. } => secret,
        _ => None,
    }
}

fn is_accepted(operation: &Operation) -> bool {
    matches!(&operation.what, What::Check { saw: Saw::Accepted(_), .. })
}
