//! Tests of `delete` and `prune`, and of the prompt before they delete.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::json;

use crate::harness::{Ended, Place};

const UNKNOWN: &str = "018f3c1e-7a2b-8c4d-9e5f-0123456789ab";

fn total(place: &Place) -> u64 {
    place.json(&["list"])["total"].as_u64().expect("a number")
}

/// Opens a terminal, and returns the end of the person and the end of the command.
fn terminal() -> (File, File) {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&person).expect("cannot grant access to the terminal");
    unlockpt(&person).expect("cannot unlock the terminal");
    let name = ptsname(&person, Vec::new()).expect("a name");
    let name = name.to_str().expect("UTF-8");
    let command = OpenOptions::new()
        .read(true)
        .write(true)
        .open(name)
        .expect("cannot open the other end of the terminal");
    (File::from(person), command)
}

/// Runs the command at a terminal where a person types `answer`.
fn typed(place: &Place, arguments: &[&str], answer: &str) -> Ended {
    let (mut person, terminal) = terminal();
    person.write_all(answer.as_bytes()).expect("cannot write to the terminal");
    Ended::of(place.command(arguments).stdin(terminal))
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_deleted() {
    let place = Place::new();
    let id = place.issue(&[]).id;
    place.run(&["revoke", &id]).done();
    for arguments in [&["delete", id.as_str()][..], &["delete", "--owner", "alice"], &["prune"]] {
        let ended = place.run(arguments);
        assert!(ended.failed(5).contains("--yes"), "{ended:?}");
        let piped = place.run_with(arguments, "yes\n");
        piped.failed(5);
    }
    assert_eq!(total(&place), 1);
}

#[test]
fn prompt_accepts_only_yes() {
    let place = Place::new();
    let (id, _) = (place.issue(&[]).id, place.issue(&[]));
    for answer in ["\n", "no\n", "y\n", "yesss\n", "\u{4}"] {
        let ended = typed(&place, &["delete", &id], answer);
        assert!(ended.stderr.contains("Permanently delete this token?"), "{ended:?}");
        assert_eq!((ended.code, ended.stdout.as_str()), (5, ""), "{answer:?}");
        assert!(ended.stderr.contains("nothing was done"), "{ended:?}");
    }
    assert_eq!(total(&place), 2);
    typed(&place, &["delete", &id], "yes\n").done();
    assert_eq!(total(&place), 1);
    let all = typed(&place, &["delete", "--owner", "alice"], "YES\n").done();
    assert!(all.stderr.contains("Permanently delete all 1 tokens of alice?"), "{all:?}");
    assert_eq!(total(&place), 0);
    let pruned = typed(&place, &["prune"], "yes\n").done();
    assert!(pruned.stderr.contains("the audit trail that are older than 400d?"), "{pruned:?}");
    assert!(pruned.stderr.contains("Deleted: 0."), "{pruned:?}");
}

#[test]
fn with_yes_tokens_are_deleted_without_a_prompt() {
    let place = Place::new();
    let issued = [place.issue(&[]), place.issue(&[]), place.issue(&[]), place.issue(&[])];
    place.run(&["delete", &issued[0].id, "--yes"]).done();
    assert!(!place.works(&issued[0].token));
    let two = place.json(&["delete", "-y", &issued[1].id, &issued[2].id]);
    assert_eq!(two, json!({ "deleted": 2, "not_found": [] }));
    let ended = place.run(&["delete", "--yes", &issued[3].id, UNKNOWN, "--json"]);
    assert_eq!((ended.code, ended.json()["deleted"].as_u64()), (3, Some(1)));
    assert!(ended.complaint().contains(UNKNOWN));
    assert_eq!(total(&place), 0);
    place.issue(&[]);
    assert_eq!(place.json(&["delete", "--owner", "bob", "--yes"])["deleted"], 0);
    assert_eq!(place.json(&["delete", "--owner", "alice", "--yes"])["deleted"], 1);
    assert_eq!(place.run(&["delete", "--yes"]).code, 2);
}

#[test]
fn prune_deletes_only_tokens_that_ended_long_enough_ago() {
    let place = Place::new();
    let (revoked, live) = (place.issue(&[]), place.issue(&[]));
    place.run(&["revoke", &revoked.id]).done();
    assert_eq!(
        place.json(&["prune", "--yes"])["pruned"],
        0,
        "a token that ended just now must be kept"
    );
    assert_eq!(place.json(&["prune", "--yes", "--ended", "1h"])["pruned"], 0);
    assert_eq!(total(&place), 2);
    for bad in ["yesterday", "0d", "-1d", "99999999y", "30"] {
        let ended = place.run(&["prune", "--yes", &format!("--ended={bad}")]);
        assert!(ended.failed(2).contains("--ended"), "{bad} {ended:?}");
    }
    // Sets the time of the revocation back, because the command has no clock that a test can set.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(backdate(&place, &revoked.id));
    let (mut person, terminal) = terminal();
    let status = place.command(&["prune", "--yes"]).stderr(terminal).status();
    assert!(status.expect("cannot start the command").success());
    let mut shown = [0; 1024];
    let len = person.read(&mut shown).expect("cannot read the terminal");
    let shown = String::from_utf8_lossy(&shown[..len]);
    assert!(shown.contains("1 deleted of at most 1"), "{shown}");
    assert!(shown.ends_with("\rDeleted: 1.\r\n"), "{shown}");
    assert_eq!(total(&place), 1);
    assert!(place.works(&live.token));
}

#[test]
fn prune_keeps_the_audit_trail_for_the_retention_of_the_service() {
    let place = Place::new();
    let _two = (place.issue(&[]), place.issue(&[]));
    let path = place.path().join("tokens.db");
    let long_ago = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(450 * 24);
    let age = format!("UPDATE hallpass_changes SET at = {}", long_ago.as_millisecond());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        use hallpass_sqlite::sqlx::{self, ConnectOptions as _, sqlite::SqliteConnectOptions};
        let mut database = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(age)).execute(&mut database).await.unwrap();
    });
    // The newest entry is always kept, because caches continue from it.
    for (retention, kept) in [("500d", 2), ("400d", 1)] {
        place.run(&["prune", "--yes", "--audit-retention", retention]).done();
        let trail = place.run(&["audit", "--all", "--json"]).done();
        assert_eq!(trail.stdout.lines().count(), kept, "{retention}");
    }
    for bad in ["23h", "never", "-1d"] {
        let ended = place.run(&["prune", "--yes", &format!("--audit-retention={bad}")]);
        assert!(ended.failed(2).contains("retention"), "{bad} {ended:?}");
    }
}

#[test]
fn without_a_terminal_prune_shows_no_progress() {
    let place = Place::new();
    let revoked = place.issue(&[]);
    place.run(&["revoke", &revoked.id]).done();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(backdate(&place, &revoked.id));
    let pruned = place.run(&["prune", "--yes"]).done();
    assert_eq!((pruned.stdout.as_str(), pruned.stderr.as_str()), ("", "Deleted: 1.\n"));
}

async fn backdate(place: &Place, id: &str) {
    use hallpass_core::store::{Change, ChangeKind, TokenStore as _};
    use hallpass_core::{Event, EventKind};
    let store = hallpass_sqlite::SqliteStore::open(place.path().join("tokens.db")).await.unwrap();
    let mut record = store.get(id.parse().unwrap()).await.unwrap().value.unwrap().record;
    let month = jiff::SignedDuration::from_hours(31 * 24);
    record.revoked_at = record.revoked_at.map(|at| at - month);
    record.revision = record.revision.next();
    let change = Change { record, secrets: None, kind: ChangeKind::Revoked };
    let event = Event::new(EventKind::Revoked, jiff::Timestamp::now());
    store.update(&change, &event).await.unwrap();
    store.close().await;
}
