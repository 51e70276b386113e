//! Checks a history against the guarantees of the cache.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::validity::{Index, Validity};
use super::{ChangeKind, Event, Operation, Verdict};

/// The guarantees that hold in a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Promise {
    /// The staleness limit: the time within which every other node must apply a change.
    pub(crate) bound: Duration,
    /// Whether the store accepts every write. If it does not, the end of a grace period may not be
    /// stored, and only the node that saw the new secret enforces it.
    pub(crate) grace_periods_end_everywhere: bool,
}

/// The result of checking a history.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) violations: Vec<Violation>,
    pub(crate) accepted: usize,
    pub(crate) rejected: usize,
    pub(crate) unavailable: usize,
    /// The number of checks that accepted a secret on another node within the staleness limit after
    /// the call that ended it had returned. A cache may do that. A positive number shows that the
    /// cache was used.
    pub(crate) late: usize,
}

/// A check whose result violates a guarantee.
#[derive(Debug)]
pub(crate) struct Violation {
    pub(crate) kind: ViolationKind,
    pub(crate) check: Operation,
    /// The operation that the result contradicts.
    pub(crate) because: Option<Operation>,
}

/// The kind of a violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ViolationKind {
    /// A secret was accepted although its end had to be visible on the node.
    AcceptedEnded,
    /// A token was accepted although the disabling of its owner had to be visible on the node.
    AcceptedDisabled,
    /// A token was accepted with old scopes although their replacement had to be visible on the
    /// node.
    AcceptedStale,
    /// A token was accepted with scopes that no change has set.
    AcceptedWrong,
    /// A token was rejected although it was certainly valid during the whole check.
    RejectedValid,
    /// A secret was checked that no change has created.
    UnknownSecret,
}

impl Report {
    pub(crate) fn count(&self, kind: ViolationKind) -> usize {
        self.violations.iter().filter(|violation| violation.kind == kind).count()
    }

    pub(crate) fn checks(&self) -> usize {
        self.accepted + self.rejected + self.unavailable
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { violations, accepted, rejected, unavailable, late } = self;
        write!(
            f,
            "{accepted} accepted ({late} late), {rejected} rejected, {unavailable} unavailable, {} violations",
            violations.len()
        )?;
        // Print one example of each kind of violation.
        let mut kinds: BTreeMap<String, (usize, &Violation)> = BTreeMap::new();
        for violation in violations {
            let because = violation.because.as_ref().and_then(Operation::change);
            let kind =
                format!("{:?} after {:?}", violation.kind, because.map(|change| change.kind));
            kinds.entry(kind).or_insert((0, violation)).0 += 1;
        }
        for (kind, (times, Violation { check, because, .. })) in kinds {
            write!(f, "\n{times} x {kind}: {check:?}\n    because {because:?}")?;
        }
        Ok(())
    }
}

/// Compares every check of a history with all changes.
pub(crate) fn check(history: &[Operation], promise: &Promise) -> Report {
    let index = Index::of(history);
    let mut report = Report::default();
    for (credential, checks) in index.credentials() {
        let validity = index.validity(credential, promise);
        for check in checks {
            let Event::Check { verdict, .. } = &check.event else { continue };
            let Some(validity) = &validity else {
                report.add(ViolationKind::UnknownSecret, check, None);
                continue;
            };
            let review =
                Review { index: &index, validity, promise, token: credential.token, check };
            match verdict {
                Verdict::Unavailable => report.unavailable += 1,
                Verdict::Rejected => {
                    report.rejected += 1;
                    if review.is_certainly_valid() {
                        report.add(ViolationKind::RejectedValid, check, Some(validity.created_by));
                    }
                }
                Verdict::Accepted(scopes) => {
                    report.accepted += 1;
                    report.late += usize::from(review.is_late());
                    if let Some((kind, because)) = review.forbids(scopes) {
                        report.add(kind, check, because);
                    }
                }
            }
        }
    }
    report
}

impl Report {
    fn add(&mut self, kind: ViolationKind, check: &Operation, because: Option<&Operation>) {
        let (check, because) = (check.clone(), because.cloned());
        self.violations.push(Violation { kind, check, because });
    }
}

/// A check that was accepted or rejected, with the operations that decide whether the result is
/// correct.
struct Review<'a, 'h> {
    index: &'a Index<'h>,
    validity: &'a Validity<'h>,
    promise: &'a Promise,
    token: usize,
    check: &'h Operation,
}

impl<'h> Review<'_, 'h> {
    /// Returns the time from which a change must be visible on the node of the check: the end of
    /// the change on the same node, and the staleness limit later on another one.
    fn known_from(&self, change: &Operation) -> Duration {
        let same = change.node == self.check.node;
        change.end + if same { Duration::ZERO } else { self.promise.bound }
    }

    fn has_to_know(&self, change: &Operation) -> bool {
        self.known_from(change) < self.check.start
    }

    /// Returns the violation, if accepting the token with these scopes is one, and the operation
    /// that it contradicts.
    fn forbids(&self, scopes: &str) -> Option<(ViolationKind, Option<&'h Operation>)> {
        let node = self.check.node;
        let end =
            self.validity.ends.iter().find(|end| {
                end.binds(node, self.promise).is_some_and(|from| from < self.check.start)
            });
        if let Some(end) = end {
            return Some((ViolationKind::AcceptedEnded, Some(end.by)));
        }
        if let Some(disabled) = self.certainly_disabled() {
            return Some((ViolationKind::AcceptedDisabled, Some(disabled)));
        }
        let mut sets_scopes = self.sets_scopes();
        let Some(given_by) = sets_scopes.find(|change| change.sets_scopes() == Some(scopes)) else {
            return Some((ViolationKind::AcceptedWrong, None));
        };
        let replaced_by = self.sets_scopes().find(|change| {
            given_by.is_before(change)
                && given_by.is_done()
                && change.is_done()
                && self.has_to_know(change)
        });
        replaced_by.map(|change| (ViolationKind::AcceptedStale, Some(change)))
    }

    /// Returns the changes that set the scopes of the token.
    fn sets_scopes(&self) -> impl Iterator<Item = &'h Operation> {
        let changes = self.index.changes_of(self.token).iter().copied();
        changes.filter(|change| change.sets_scopes().is_some())
    }

    /// Returns whether a call that ended the secret had returned before the check began.
    fn is_late(&self) -> bool {
        self.validity.ends.iter().any(|end| end.by.end < self.check.start)
    }

    fn certainly_disabled(&self) -> Option<&'h Operation> {
        self.of_kind(ChangeKind::Disabled).find(|disabled| {
            let may_be_undone = |enabled: &Operation| {
                enabled.start < self.check.end && !enabled.is_before(disabled)
            };
            disabled.is_done()
                && self.has_to_know(disabled)
                && !self.of_kind(ChangeKind::Enabled).any(may_be_undone)
        })
    }

    fn may_be_disabled(&self) -> bool {
        self.of_kind(ChangeKind::Disabled).any(|disabled| {
            let is_undone = |enabled: &Operation| {
                enabled.is_done() && disabled.is_before(enabled) && self.has_to_know(enabled)
            };
            disabled.start < self.check.end && !self.of_kind(ChangeKind::Enabled).any(is_undone)
        })
    }

    fn of_kind(&self, kind: ChangeKind) -> impl Iterator<Item = &'h Operation> {
        let changes = self.index.account_changes_of(self.token);
        changes
            .filter(move |operation| operation.change().is_some_and(|change| change.kind == kind))
    }

    /// Returns whether the token was certainly valid during the whole check.
    fn is_certainly_valid(&self) -> bool {
        self.has_to_know(self.validity.created_by)
            && self.validity.may_end_from.is_none_or(|from| self.check.end < from)
            && !self.may_be_disabled()
    }
}
