//! The promise, held against a history.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::lives::{Index, Life};
use super::{Kind, Operation, Saw, What};

/// What is promised of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Promise {
    /// B: how long another node may not know of a change.
    pub(crate) bound: Duration,
    /// Whether the store takes every write: the end of an overlap that cannot be stored binds one
    /// node.
    pub(crate) overlaps_end_everywhere: bool,
}

/// What the history shows.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) violations: Vec<Violation>,
    pub(crate) accepted: usize,
    pub(crate) refused: usize,
    pub(crate) unavailable: usize,
    /// Accepted on another node after the end had returned, within the bound: what a cache may do,
    /// and the sign that there is one.
    pub(crate) late: usize,
}

/// A check that the promise does not allow.
#[derive(Debug)]
pub(crate) struct Violation {
    pub(crate) broken: Broken,
    pub(crate) check: Operation,
    /// What it is at odds with.
    pub(crate) because: Option<Operation>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Broken {
    /// Accepted when its end had to be known.
    AcceptedDead,
    /// Accepted for an owner whose account had to be known to be disabled.
    AcceptedDisabled,
    /// Accepted with scopes that had to be known to be replaced.
    AcceptedStale,
    /// Accepted with scopes that nobody gave.
    AcceptedWrong,
    /// Refused although it was certainly good all the time.
    RefusedValid,
    /// A secret that nobody made.
    Unheard,
}

impl Report {
    pub(crate) fn count(&self, broken: Broken) -> usize {
        self.violations.iter().filter(|violation| violation.broken == broken).count()
    }

    pub(crate) fn checks(&self) -> usize {
        self.accepted + self.refused + self.unavailable
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { violations, accepted, refused, unavailable, late } = self;
        write!(
            f,
            "{accepted} accepted ({late} late), {refused} refused, {unavailable} unavailable, {} not allowed",
            violations.len()
        )?;
        // One example of each sort.
        let mut sorts: BTreeMap<String, (usize, &Violation)> = BTreeMap::new();
        for violation in violations {
            let because = violation.because.as_ref().and_then(Operation::change);
            let sort =
                format!("{:?} after {:?}", violation.broken, because.map(|change| change.kind));
            sorts.entry(sort).or_insert((0, violation)).0 += 1;
        }
        for (sort, (times, Violation { check, because, .. })) in sorts {
            write!(f, "\n{times} x {sort}: {check:?}\n    because {because:?}")?;
        }
        Ok(())
    }
}

/// Holds every check of the history against every change.
pub(crate) fn check(history: &[Operation], promise: &Promise) -> Report {
    let index = Index::of(history);
    let mut report = Report::default();
    for (credential, checks) in index.credentials() {
        let life = index.life(credential, promise);
        for check in checks {
            let What::Check { saw, .. } = &check.what else { continue };
            let Some(life) = &life else {
                report.add(Broken::Unheard, check, None);
                continue;
            };
            let judge = Judge { index: &index, life, promise, token: credential.token, check };
            match saw {
                Saw::Unavailable => report.unavailable += 1,
                Saw::Refused => {
                    report.refused += 1;
                    if judge.is_certainly_good() {
                        report.add(Broken::RefusedValid, check, Some(life.born));
                    }
                }
                Saw::Accepted(scopes) => {
                    report.accepted += 1;
                    report.late += usize::from(judge.is_late());
                    if let Some((broken, because)) = judge.forbids(scopes) {
                        report.add(broken, check, because);
                    }
                }
            }
        }
    }
    report
}

impl Report {
    fn add(&mut self, broken: Broken, check: &Operation, because: Option<&Operation>) {
        let (check, because) = (check.clone(), because.cloned());
        self.violations.push(Violation { broken, check, because });
    }
}

/// One check, and all that speaks for and against it.
struct Judge<'a, 'h> {
    index: &'a Index<'h>,
    life: &'a Life<'h>,
    promise: &'a Promise,
    token: usize,
    check: &'h Operation,
}

impl<'h> Judge<'_, 'h> {
    /// From when on the node of the check had to know of a change.
    fn known_from(&self, change: &Operation) -> Duration {
        let same = change.node == self.check.node;
        change.end + if same { Duration::ZERO } else { self.promise.bound }
    }

    fn has_to_know(&self, change: &Operation) -> bool {
        self.known_from(change) < self.check.start
    }

    fn forbids(&self, scopes: &str) -> Option<(Broken, Option<&'h Operation>)> {
        let node = self.check.node;
        let death = self.life.deaths.iter().find(|death| {
            death.binds(node, self.promise).is_some_and(|from| from < self.check.start)
        });
        if let Some(death) = death {
            return Some((Broken::AcceptedDead, Some(death.by)));
        }
        if let Some(disabled) = self.certainly_disabled() {
            return Some((Broken::AcceptedDisabled, Some(disabled)));
        }
        let mut gives = self.gives();
        let Some(given_by) = gives.find(|change| change.gives() == Some(scopes)) else {
            return Some((Broken::AcceptedWrong, None));
        };
        let replaced_by = self.gives().find(|change| {
            given_by.is_before(change)
                && given_by.is_done()
                && change.is_done()
                && self.has_to_know(change)
        });
        replaced_by.map(|change| (Broken::AcceptedStale, Some(change)))
    }

    /// The changes that gave the token scopes.
    fn gives(&self) -> impl Iterator<Item = &'h Operation> {
        let changes = self.index.changes_of(self.token).iter().copied();
        changes.filter(|change| change.gives().is_some())
    }

    /// Accepted, although its end had returned somewhere.
    fn is_late(&self) -> bool {
        self.life.deaths.iter().any(|death| death.by.end < self.check.start)
    }

    fn certainly_disabled(&self) -> Option<&'h Operation> {
        self.of_kind(Kind::Disabled).find(|disabled| {
            let may_be_undone = |enabled: &Operation| {
                enabled.start < self.check.end && !enabled.is_before(disabled)
            };
            disabled.is_done()
                && self.has_to_know(disabled)
                && !self.of_kind(Kind::Enabled).any(may_be_undone)
        })
    }

    fn may_be_disabled(&self) -> bool {
        self.of_kind(Kind::Disabled).any(|disabled| {
            let is_undone = |enabled: &Operation| {
                enabled.is_done() && disabled.is_before(enabled) && self.has_to_know(enabled)
            };
            disabled.start < self.check.end && !self.of_kind(Kind::Enabled).any(is_undone)
        })
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &'h Operation> {
        let standings = self.index.standings_of(self.token);
        standings.filter(move |said| said.change().is_some_and(|change| change.kind == kind))
    }

    fn is_certainly_good(&self) -> bool {
        self.has_to_know(self.life.born)
            && self.life.threatened.is_none_or(|from| self.check.end < from)
            && !self.may_be_disabled()
    }
}
