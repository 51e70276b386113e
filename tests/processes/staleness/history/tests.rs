//! Tests the checker itself with hand-written histories, valid and invalid ones.

use std::time::Duration;

use super::{
    Change, ChangeKind, Credential, Event, Operation, Promise, Report, Subject, Verdict, check,
};
use crate::history::check::ViolationKind;

const PROMISE: Promise =
    Promise { bound: Duration::from_millis(100), grace_periods_end_everywhere: true };

const TOKEN: Subject = Subject::Token(0);
const OWNER: Subject = Subject::Owner(0);

fn at(node: usize, (start, end): (u64, u64), event: Event) -> Operation {
    let [start, end] = [start, end].map(Duration::from_millis);
    Operation { node, start, end, event }
}

fn change(of: Subject, kind: ChangeKind) -> Event {
    Event::Change(Change { of, kind, done: true, revision: None, scopes: None })
}

fn at_revision(revision: u64, kind: ChangeKind) -> Event {
    let revision = Some(revision);
    Event::Change(Change { of: TOKEN, kind, done: true, revision, scopes: None })
}

fn sets_scopes(scopes: &str, revision: u64, kind: ChangeKind) -> Event {
    let (revision, scopes) = (Some(revision), Some(scopes.to_owned()));
    Event::Change(Change { of: TOKEN, kind, done: true, revision, scopes })
}

fn failed(of: Subject, kind: ChangeKind) -> Event {
    Event::Change(Change { of, kind, done: false, revision: None, scopes: None })
}

fn issued() -> Operation {
    at(0, (0, 1), sets_scopes("first", 1, ChangeKind::Issued { owner: 0, secret: 0 }))
}

fn accepted(secret: usize) -> Event {
    accepted_with("first", secret)
}

fn accepted_with(scopes: &str, secret: usize) -> Event {
    let verdict = Verdict::Accepted(scopes.to_owned());
    Event::Check { credential: Credential { token: 0, secret }, verdict }
}

fn rejected(secret: usize) -> Event {
    Event::Check { credential: Credential { token: 0, secret }, verdict: Verdict::Rejected }
}

fn regenerated(grace_period: bool) -> Event {
    at_revision(2, ChangeKind::Regenerated { secret: Some(1), grace_period })
}

/// Returns the report about a history that issues a token in the first millisecond and continues
/// with `rest`.
fn report(rest: impl IntoIterator<Item = Operation>) -> Report {
    let history: Vec<_> = std::iter::once(issued()).chain(rest).collect();
    check(&history, &PROMISE)
}

#[track_caller]
fn assert_allowed(rest: impl IntoIterator<Item = Operation>) {
    let report = report(rest);
    assert!(report.violations.is_empty(), "{report}");
}

#[track_caller]
fn assert_violates(kind: ViolationKind, rest: impl IntoIterator<Item = Operation>) {
    let report = report(rest);
    let found: Vec<_> = report.violations.iter().map(|violation| violation.kind).collect();
    assert_eq!(found, [kind], "{report}");
}

#[test]
fn end_counts_immediately_on_its_node_and_later_on_the_others() {
    let ends = [
        at_revision(2, ChangeKind::Revoked),
        change(TOKEN, ChangeKind::Revoked),
        change(TOKEN, ChangeKind::Deleted),
        regenerated(false),
        change(OWNER, ChangeKind::AllEnded),
    ];
    for end in ends {
        let end = at(0, (10, 20), end);
        let with = |check| [end.clone(), check];
        // The check was in flight when the change ended.
        assert_allowed(with(at(0, (19, 30), accepted(0))));
        assert_violates(ViolationKind::AcceptedEnded, with(at(0, (21, 22), accepted(0))));
        assert_allowed(with(at(1, (119, 500), accepted(0))));
        assert_violates(ViolationKind::AcceptedEnded, with(at(1, (121, 122), accepted(0))));
        assert_allowed(with(at(0, (21, 22), rejected(0))));
        assert_allowed(with(at(1, (11, 12), rejected(0))));
    }
}

#[test]
fn late_acceptances_are_counted() {
    let revoked = at(0, (10, 20), change(TOKEN, ChangeKind::Revoked));
    let late = at(1, (50, 51), accepted(0));
    let early = at(1, (5, 6), accepted(0));
    let report = report([revoked, late, early]);
    assert_eq!((report.late, report.accepted), (1, 2));
}

#[test]
fn failed_change_may_or_may_not_have_been_made() {
    for kind in [
        ChangeKind::Revoked,
        ChangeKind::Deleted,
        ChangeKind::Regenerated { secret: None, grace_period: false },
    ] {
        let end = at(0, (10, 20), failed(TOKEN, kind));
        assert_allowed([
            end.clone(),
            at(0, (300, 301), accepted(0)),
            at(0, (400, 401), rejected(0)),
        ]);
        assert_violates(ViolationKind::RejectedValid, [end, at(0, (5, 6), rejected(0))]);
    }
}

#[test]
fn rejecting_a_valid_token_is_a_violation() {
    assert_violates(ViolationKind::RejectedValid, [at(0, (2, 3), rejected(0))]);
    assert_allowed([at(1, (2, 3), rejected(0))]);
    assert_violates(ViolationKind::RejectedValid, [at(1, (102, 103), rejected(0))]);
    let unavailable = Event::Check {
        credential: Credential { token: 0, secret: 0 },
        verdict: Verdict::Unavailable,
    };
    assert_allowed([at(0, (2, 3), unavailable)]);
    // This change does not end the secret.
    let narrowed = at(0, (10, 20), sets_scopes("second", 2, ChangeKind::Updated));
    assert_violates(ViolationKind::RejectedValid, [narrowed, at(0, (30, 31), rejected(0))]);
    // A revocation with a lower revision does not affect the new secret, even if its call returned
    // later.
    let revoked = at(0, (10, 30), at_revision(2, ChangeKind::Revoked));
    let again = ChangeKind::Regenerated { secret: Some(1), grace_period: false };
    let again = at(1, (10, 20), at_revision(3, again));
    assert_violates(ViolationKind::RejectedValid, [revoked, again, at(1, (40, 41), rejected(1))]);
}

#[test]
fn grace_period_lasts_until_the_new_secret_is_used() {
    let again = at(0, (10, 20), regenerated(true));
    assert_allowed([again.clone(), at(0, (300, 301), accepted(0))]);
    assert_violates(ViolationKind::RejectedValid, [again.clone(), at(0, (300, 301), rejected(0))]);
    let used = at(1, (310, 320), accepted(1));
    let with = |check| [again.clone(), used.clone(), check];
    assert_allowed(with(at(1, (311, 330), rejected(0))));
    assert_allowed(with(at(1, (319, 330), accepted(0))));
    assert_violates(ViolationKind::AcceptedEnded, with(at(1, (321, 330), accepted(0))));
    assert_allowed(with(at(0, (419, 420), accepted(0))));
    assert_violates(ViolationKind::AcceptedEnded, with(at(0, (421, 422), accepted(0))));
    // A slower concurrent use may have stored the end of the grace period later.
    let slower = at(1, (315, 400), accepted(1));
    let late = at(0, (421, 422), accepted(0));
    assert_allowed([again.clone(), used.clone(), slower.clone(), late]);
    let too_late = at(0, (501, 502), accepted(0));
    let report = report([again.clone(), used.clone(), slower, too_late]);
    assert_eq!(report.count(ViolationKind::AcceptedEnded), 1, "{report}");
    // If the store may reject the write, only the node that saw the new secret enforces the end.
    let alone = Promise { grace_periods_end_everywhere: false, ..PROMISE };
    let there = [issued(), again, used, at(0, (500, 501), accepted(0))];
    assert!(check(&there, &alone).violations.is_empty());
}

#[test]
fn second_to_last_secret_ends_with_a_grace_period() {
    let second = ChangeKind::Regenerated { secret: Some(2), grace_period: true };
    let (first, second) =
        (at(0, (10, 20), regenerated(true)), at(0, (30, 40), at_revision(3, second)));
    let with = |check| [first.clone(), second.clone(), check];
    assert_violates(ViolationKind::AcceptedEnded, with(at(0, (50, 51), accepted(0))));
    assert_allowed(with(at(0, (50, 51), accepted(1))));
    assert_violates(ViolationKind::RejectedValid, with(at(0, (50, 51), rejected(1))));
    // If the regeneration in between may not have been made, both results are allowed.
    let unknown = ChangeKind::Regenerated { secret: None, grace_period: true };
    let unknown = at(0, (10, 20), failed(TOKEN, unknown));
    assert_allowed([unknown.clone(), second.clone(), at(0, (50, 51), accepted(0))]);
    assert_allowed([unknown, second, at(0, (50, 51), rejected(0))]);
}

#[test]
fn account_stays_disabled_until_it_is_enabled() {
    let disabled = at(0, (10, 20), change(OWNER, ChangeKind::Disabled));
    let enabled = at(0, (200, 210), change(OWNER, ChangeKind::Enabled));
    let with = |check| [disabled.clone(), enabled.clone(), check];
    assert_violates(ViolationKind::AcceptedDisabled, with(at(0, (21, 22), accepted(0))));
    assert_allowed(with(at(1, (119, 120), accepted(0))));
    assert_violates(ViolationKind::AcceptedDisabled, with(at(1, (121, 122), accepted(0))));
    assert_allowed(with(at(1, (121, 201), accepted(0))));
    assert_allowed(with(at(0, (11, 12), rejected(0))));
    assert_violates(ViolationKind::RejectedValid, with(at(0, (5, 6), rejected(0))));
    assert_allowed(with(at(1, (211, 212), rejected(0))));
    assert_violates(ViolationKind::RejectedValid, with(at(0, (211, 212), rejected(0))));
    assert_violates(ViolationKind::RejectedValid, with(at(1, (311, 312), rejected(0))));
    let unheard = at(0, (10, 20), failed(OWNER, ChangeKind::Disabled));
    assert_allowed([unheard.clone(), at(0, (300, 301), accepted(0))]);
    assert_allowed([unheard, at(0, (300, 301), rejected(0))]);
}

#[test]
fn replaced_and_unknown_scopes_are_violations() {
    let narrowed = at(0, (10, 20), sets_scopes("second", 2, ChangeKind::Updated));
    let with = |check| [narrowed.clone(), check];
    assert_allowed(with(at(0, (21, 22), accepted_with("second", 0))));
    assert_violates(ViolationKind::AcceptedStale, with(at(0, (21, 22), accepted(0))));
    assert_allowed(with(at(0, (19, 22), accepted(0))));
    assert_allowed(with(at(1, (119, 120), accepted(0))));
    assert_violates(ViolationKind::AcceptedStale, with(at(1, (121, 122), accepted(0))));
    assert_violates(ViolationKind::AcceptedWrong, with(at(0, (21, 22), accepted_with("third", 0))));
    assert_violates(ViolationKind::UnknownSecret, with(at(0, (21, 22), accepted(7))));
    // Only the revisions show which of two concurrent changes is the later one.
    let other = at(1, (5, 30), sets_scopes("third", 3, ChangeKind::Updated));
    let both = |check| [narrowed.clone(), other.clone(), check];
    assert_allowed(both(at(0, (40, 41), accepted_with("second", 0))));
    assert_violates(
        ViolationKind::AcceptedStale,
        both(at(1, (40, 41), accepted_with("second", 0))),
    );
    assert_allowed(both(at(1, (40, 41), accepted_with("third", 0))));
    // A failed change may have been made at any time.
    let mut unknown = at(0, (10, 20), sets_scopes("second", 2, ChangeKind::Updated));
    if let Event::Change(change) = &mut unknown.event {
        (change.done, change.revision) = (false, None);
    }
    for shown in ["first", "second"] {
        assert_allowed([unknown.clone(), at(0, (40, 41), accepted_with(shown, 0))]);
    }
}
