//! Derives from the changes when each secret became valid, when it certainly ended, and from when
//! on it may have ended.

use std::collections::HashMap;
use std::time::Duration;

use super::check::Promise;
use super::{Change, ChangeKind, Credential, Event, Operation, Subject, Verdict};

/// The operations of a history, by token and by owner.
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

/// The period in which one secret is valid.
pub(super) struct Validity<'h> {
    pub(super) created_by: &'h Operation,
    /// The operations that certainly ended the secret.
    pub(super) ends: Vec<End<'h>>,
    /// The time from which an operation may have ended the secret.
    pub(super) may_end_from: Option<Duration>,
}

/// The end of a secret, and the nodes that have to enforce it.
pub(super) struct End<'h> {
    pub(super) by: &'h Operation,
    node: usize,
    at: Duration,
    /// Whether the other nodes see it, too.
    everywhere: bool,
}

impl End<'_> {
    /// Returns the time from which no check on the given node may accept the secret, or `None` if
    /// that node does not see the end.
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
            match &operation.event {
                Event::Check { credential, .. } => {
                    let token = index.tokens.entry(credential.token).or_default();
                    token.checks.entry(credential.secret).or_default().push(operation);
                }
                Event::Change(Change { of: Subject::Token(token), kind, .. }) => {
                    let token = index.tokens.entry(*token).or_default();
                    if let ChangeKind::Issued { owner, .. } = kind {
                        token.owner = *owner;
                    }
                    token.changes.push(operation);
                }
                Event::Change(Change { of: Subject::Owner(owner), .. }) => {
                    index.owners.entry(*owner).or_default().push(operation);
                }
            }
        }
        index
    }

    /// Returns every credential that was checked, with its checks.
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

    /// Returns the operations that disabled or enabled the owner of a token.
    pub(super) fn account_changes_of(&self, token: usize) -> impl Iterator<Item = &'h Operation> {
        let changes = self.owners.get(&self.tokens[&token].owner);
        changes.into_iter().flatten().copied().filter(|operation| {
            matches!(kind(operation), Some(ChangeKind::Disabled | ChangeKind::Enabled))
        })
    }

    /// Returns the validity of a credential, or `None` if no change has created it.
    pub(super) fn validity(&self, of: Credential, promise: &Promise) -> Option<Validity<'h>> {
        let token = &self.tokens[&of.token];
        let created_by = *token.changes.iter().find(|change| makes(change) == Some(of.secret))?;
        let mut validity = Validity { created_by, ends: Vec::new(), may_end_from: None };
        let of_owner = self.owners.get(&token.owner).into_iter().flatten();
        for &change in token.changes.iter().chain(of_owner) {
            if std::ptr::eq(change, created_by) || change.is_before(created_by) {
                continue;
            }
            match kind(change) {
                Some(
                    ChangeKind::Revoked
                    | ChangeKind::Deleted
                    | ChangeKind::AllEnded
                    | ChangeKind::Regenerated { grace_period: false, .. },
                ) => validity.ended_by(change),
                Some(ChangeKind::Regenerated { secret, grace_period: true }) => {
                    token.regenerated_with_grace_period(&mut validity, change, secret, promise);
                }
                _ => {}
            }
        }
        Some(validity)
    }
}

impl<'h> Validity<'h> {
    fn ended_by(&mut self, change: &'h Operation) {
        self.may_end_from(change.start);
        if change.is_done() && self.created_by.is_before(change) {
            let (node, at) = (change.node, change.end);
            self.ends.push(End { by: change, node, at, everywhere: true });
        }
    }

    fn may_end_from(&mut self, start: Duration) {
        self.may_end_from = Some(self.may_end_from.map_or(start, |before| before.min(start)));
    }
}

impl<'h> Token<'h> {
    /// Adds the effect of a regeneration with a grace period. The previous secret stays valid until
    /// the new one is used for the first time. All earlier secrets end immediately.
    fn regenerated_with_grace_period(
        &self,
        validity: &mut Validity<'h>,
        regeneration: &'h Operation,
        secret: Option<usize>,
        promise: &Promise,
    ) {
        let created_by = validity.created_by;
        let between = |other: &&&Operation| {
            matches!(kind(other), Some(ChangeKind::Regenerated { .. }))
                && !std::ptr::eq(**other, created_by)
                && !std::ptr::eq(**other, regeneration)
                && !other.is_before(created_by)
                && !regeneration.is_before(other)
        };
        let certainly_between = |other: &&Operation| {
            other.is_done() && created_by.is_before(other) && other.is_before(regeneration)
        };
        if self.changes.iter().filter(between).any(certainly_between) {
            validity.ended_by(regeneration);
            return;
        }
        if self.changes.iter().any(|other| between(&other)) {
            validity.may_end_from(regeneration.start);
        }
        let uses = secret.and_then(|secret| self.checks.get(&secret)).into_iter().flatten();
        for first in uses.clone() {
            validity.may_end_from(first.start);
        }
        if !created_by.is_before(regeneration) {
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
            validity.ends.push(End { by, node, at: by.end, everywhere: false });
            if promise.grace_periods_end_everywhere {
                // Only one of several concurrent uses stores the end of the grace period. That use
                // began before the first one ended, so the latest end among them is the safe limit.
                let one_of = uses.clone().filter(|check| {
                    check.node == node && is_accepted(check) && check.start <= by.end
                });
                let at = one_of.map(|check| check.end).max().unwrap_or(by.end);
                validity.ends.push(End { by, node, at, everywhere: true });
            }
        }
    }
}

fn kind(operation: &Operation) -> Option<ChangeKind> {
    operation.change().map(|change| change.kind)
}

/// Returns the secret that a change has created, if its reply was received.
fn makes(operation: &Operation) -> Option<usize> {
    match kind(operation)? {
        ChangeKind::Issued { secret, .. } => Some(secret),
        ChangeKind::Regenerated { secret, .. } => secret,
        _ => None,
    }
}

fn is_accepted(operation: &Operation) -> bool {
    matches!(&operation.event, Event::Check { verdict: Verdict::Accepted(_), .. })
}
