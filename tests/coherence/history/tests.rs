//! The checker itself: histories made by hand, good and bad.

use std::time::Duration;

use super::{Change, Credential, Kind, Operation, Promise, Report, Saw, Subject, What, check};
use crate::history::check::Broken;

const PROMISE: Promise =
    Promise { bound: Duration::from_millis(100), overlaps_end_everywhere: true };

const TOKEN: Subject = Subject::Token(0);
const OWNER: Subject = Subject::Owner(0);

fn at(node: usize, (start, end): (u64, u64), what: What) -> Operation {
    let [start, end] = [start, end].map(Duration::from_millis);
    Operation { node, start, end, what }
}

fn change(of: Subject, kind: Kind) -> What {
    What::Change(Change { of, kind, done: true, revision: None, scopes: None })
}

fn at_revision(revision: u64, kind: Kind) -> What {
    let revision = Some(revision);
    What::Change(Change { of: TOKEN, kind, done: true, revision, scopes: None })
}

fn gives(scopes: &str, revision: u64, kind: Kind) -> What {
    let (revision, scopes) = (Some(revision), Some(scopes.to_owned()));
    What::Change(Change { of: TOKEN, kind, done: true, revision, scopes })
}

fn failed(of: Subject, kind: Kind) -> What {
    What::Change(Change { of, kind, done: false, revision: None, scopes: None })
}

fn issued() -> Operation {
    at(0, (0, 1), gives("first", 1, Kind::Issued { owner: 0, secret: 0 }))
}

fn accepted(secret: usize) -> What {
    accepted_with("first", secret)
}

fn accepted_with(scopes: &str, secret: usize) -> What {
    let saw = Saw::Accepted(scopes.to_owned());
    What::Check { credential: Credential { token: 0, secret }, saw }
}

fn refused(secret: usize) -> What {
    What::Check { credential: Credential { token: 0, secret }, saw: Saw::Refused }
}

fn regenerated(overlap: bool) -> What {
    at_revision(2, Kind::Regenerated { secret: Some(1), overlap })
}

/// What the checker says of a token that is issued in the first millisecond, and of this.
fn report(rest: impl IntoIterator<Item = Operation>) -> Report {
    let history: Vec<_> = std::iter::once(issued()).chain(rest).collect();
    check(&history, &PROMISE)
}

#[track_caller]
fn good(rest: impl IntoIterator<Item = Operation>) {
    let report = report(rest);
    assert!(report.violations.is_empty(), "{report}");
}

#[track_caller]
fn bad(broken: Broken, rest: impl IntoIterator<Item = Operation>) {
    let report = report(rest);
    let found: Vec<_> = report.violations.iter().map(|violation| violation.broken).collect();
    assert_eq!(found, [broken], "{report}");
}

#[test]
fn an_end_binds_its_own_node_at_once_and_the_others_after_the_bound() {
    let ends = [
        at_revision(2, Kind::Revoked),
        change(TOKEN, Kind::Revoked),
        change(TOKEN, Kind::Deleted),
        regenerated(false),
        change(OWNER, Kind::AllEnded),
    ];
    for end in ends {
        let end = at(0, (10, 20), end);
        let with = |check| [end.clone(), check];
        // Under way while it ended.
        good(with(at(0, (19, 30), accepted(0))));
        bad(Broken::AcceptedDead, with(at(0, (21, 22), accepted(0))));
        good(with(at(1, (119, 500), accepted(0))));
        bad(Broken::AcceptedDead, with(at(1, (121, 122), accepted(0))));
        good(with(at(0, (21, 22), refused(0))));
        good(with(at(1, (11, 12), refused(0))));
    }
}

#[test]
fn late_accepts_are_counted() {
    let revoked = at(0, (10, 20), change(TOKEN, Kind::Revoked));
    let late = at(1, (50, 51), accepted(0));
    let early = at(1, (5, 6), accepted(0));
    let report = report([revoked, late, early]);
    assert_eq!((report.late, report.accepted), (1, 2));
}

#[test]
fn what_failed_may_have_happened_or_not() {
    for kind in [Kind::Revoked, Kind::Deleted, Kind::Regenerated { secret: None, overlap: false }] {
        let end = at(0, (10, 20), failed(TOKEN, kind));
        good([end.clone(), at(0, (300, 301), accepted(0)), at(0, (400, 401), refused(0))]);
        bad(Broken::RefusedValid, [end, at(0, (5, 6), refused(0))]);
    }
}

#[test]
fn a_good_token_is_never_refused() {
    bad(Broken::RefusedValid, [at(0, (2, 3), refused(0))]);
    good([at(1, (2, 3), refused(0))]);
    bad(Broken::RefusedValid, [at(1, (102, 103), refused(0))]);
    let unavailable =
        What::Check { credential: Credential { token: 0, secret: 0 }, saw: Saw::Unavailable };
    good([at(0, (2, 3), unavailable)]);
    // A change that takes nothing away from the secret.
    let narrowed = at(0, (10, 20), gives("second", 2, Kind::Updated));
    bad(Broken::RefusedValid, [narrowed, at(0, (30, 31), refused(0))]);
    // The end of before says nothing of the new secret, whichever was answered first.
    let revoked = at(0, (10, 30), at_revision(2, Kind::Revoked));
    let again = Kind::Regenerated { secret: Some(1), overlap: false };
    let again = at(1, (10, 20), at_revision(3, again));
    bad(Broken::RefusedValid, [revoked, again, at(1, (40, 41), refused(1))]);
}

#[test]
fn an_overlap_lasts_until_the_new_secret_is_used() {
    let again = at(0, (10, 20), regenerated(true));
    good([again.clone(), at(0, (300, 301), accepted(0))]);
    bad(Broken::RefusedValid, [again.clone(), at(0, (300, 301), refused(0))]);
    let used = at(1, (310, 320), accepted(1));
    let with = |check| [again.clone(), used.clone(), check];
    good(with(at(1, (311, 330), refused(0))));
    good(with(at(1, (319, 330), accepted(0))));
    bad(Broken::AcceptedDead, with(at(1, (321, 330), accepted(0))));
    good(with(at(0, (419, 420), accepted(0))));
    bad(Broken::AcceptedDead, with(at(0, (421, 422), accepted(0))));
    // It may have been another use that stored the end, later.
    let slower = at(1, (315, 400), accepted(1));
    let late = at(0, (421, 422), accepted(0));
    good([again.clone(), used.clone(), slower.clone(), late]);
    let too_late = at(0, (501, 502), accepted(0));
    let report = report([again.clone(), used.clone(), slower, too_late]);
    assert_eq!(report.count(Broken::AcceptedDead), 1, "{report}");
    // A store that does not take the end binds the node that knows, no other.
    let alone = Promise { overlaps_end_everywhere: false, ..PROMISE };
    let there = [issued(), again, used, at(0, (500, 501), accepted(0))];
    assert!(check(&there, &alone).violations.is_empty());
}

#[test]
fn the_secret_before_the_one_before_ends_with_an_overlap_too() {
    let second = Kind::Regenerated { secret: Some(2), overlap: true };
    let (first, second) =
        (at(0, (10, 20), regenerated(true)), at(0, (30, 40), at_revision(3, second)));
    let with = |check| [first.clone(), second.clone(), check];
    bad(Broken::AcceptedDead, with(at(0, (50, 51), accepted(0))));
    good(with(at(0, (50, 51), accepted(1))));
    bad(Broken::RefusedValid, with(at(0, (50, 51), refused(1))));
    // If the one between is not known to have happened, nothing is known.
    let unknown = Kind::Regenerated { secret: None, overlap: true };
    let unknown = at(0, (10, 20), failed(TOKEN, unknown));
    good([unknown.clone(), second.clone(), at(0, (50, 51), accepted(0))]);
    good([unknown, second, at(0, (50, 51), refused(0))]);
}

#[test]
fn an_account_is_disabled_until_it_is_enabled() {
    let disabled = at(0, (10, 20), change(OWNER, Kind::Disabled));
    let enabled = at(0, (200, 210), change(OWNER, Kind::Enabled));
    let with = |check| [disabled.clone(), enabled.clone(), check];
    bad(Broken::AcceptedDisabled, with(at(0, (21, 22), accepted(0))));
    good(with(at(1, (119, 120), accepted(0))));
    bad(Broken::AcceptedDisabled, with(at(1, (121, 122), accepted(0))));
    good(with(at(1, (121, 201), accepted(0))));
    good(with(at(0, (11, 12), refused(0))));
    bad(Broken::RefusedValid, with(at(0, (5, 6), refused(0))));
    good(with(at(1, (211, 212), refused(0))));
    bad(Broken::RefusedValid, with(at(0, (211, 212), refused(0))));
    bad(Broken::RefusedValid, with(at(1, (311, 312), refused(0))));
    let unheard = at(0, (10, 20), failed(OWNER, Kind::Disabled));
    good([unheard.clone(), at(0, (300, 301), accepted(0))]);
    good([unheard, at(0, (300, 301), refused(0))]);
}

#[test]
fn replaced_scopes_are_not_used_and_those_that_nobody_gave_neither() {
    let narrowed = at(0, (10, 20), gives("second", 2, Kind::Updated));
    let with = |check| [narrowed.clone(), check];
    good(with(at(0, (21, 22), accepted_with("second", 0))));
    bad(Broken::AcceptedStale, with(at(0, (21, 22), accepted(0))));
    good(with(at(0, (19, 22), accepted(0))));
    good(with(at(1, (119, 120), accepted(0))));
    bad(Broken::AcceptedStale, with(at(1, (121, 122), accepted(0))));
    bad(Broken::AcceptedWrong, with(at(0, (21, 22), accepted_with("third", 0))));
    bad(Broken::Unheard, with(at(0, (21, 22), accepted(7))));
    // Which of two is the later is said by their revisions alone.
    let other = at(1, (5, 30), gives("third", 3, Kind::Updated));
    let both = |check| [narrowed.clone(), other.clone(), check];
    good(both(at(0, (40, 41), accepted_with("second", 0))));
    bad(Broken::AcceptedStale, both(at(1, (40, 41), accepted_with("second", 0))));
    good(both(at(1, (40, 41), accepted_with("third", 0))));
    // One that failed may have happened, at any time.
    let mut unknown = at(0, (10, 20), gives("second", 2, Kind::Updated));
    if let What::Change(change) = &mut unknown.what {
        (change.done, change.revision) = (false, None);
    }
    for shown in ["first", "second"] {
        good([unknown.clone(), at(0, (40, 41), accepted_with(shown, 0))]);
    }
}
