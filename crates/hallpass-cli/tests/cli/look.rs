//! Tests of `list` and `show`.

use std::process::Stdio;

use hallpass_core::{Actor, Clock, Hallpass, NewToken};
use hallpass_sqlite::SqliteStore;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::harness::Place;

fn names(listed: &Value) -> Vec<&str> {
    let items = listed["items"].as_array().expect("items");
    items.iter().map(|item| item["name"].as_str().expect("a name")).collect()
}

/// Issues three tokens: `b` and `A` of `alice`, and `c` of `bob`, which it revokes.
fn issue_three(place: &Place) {
    for (owner, name, scope) in [("alice", "b", "x"), ("alice", "A", "y"), ("bob", "c", "x")] {
        let arguments = ["issue", "--owner", owner, "--name", name, "--scope", scope];
        place.run(&arguments).done();
    }
    place.run(&["revoke", "--owner", "bob"]).done();
}

#[test]
fn list_filters_and_sorts_by_its_options() {
    let place = Place::new();
    issue_three(&place);
    for (arguments, expected) in [
        (&[][..], &["c", "A", "b"][..]),
        (&["--sort", "created_at"], &["b", "A", "c"]),
        (&["--sort", "name"], &["A", "b", "c"]),
        (&["--sort", "-name"], &["c", "b", "A"]),
        (&["--owner", "alice"], &["A", "b"]),
        (&["--owner", "carol"], &[]),
        (&["--status", "revoked"], &["c"]),
        (&["--status", "active"], &["A", "b"]),
        (&["--status", "expired"], &[]),
        (&["--search", "B"], &["b"]),
        (&["--scope", "x"], &["c", "b"]),
        (&["--limit", "1"], &["c"]),
    ] {
        let listed = place.json(&[&["list"], arguments].concat());
        assert_eq!(names(&listed), expected, "{arguments:?}");
    }
    assert_eq!(place.json(&["list", "--limit", "1"])["total"], 3);
    for bad in [
        ["--sort", "owner"],
        ["--scope", "a b"],
        ["--owner", ""],
        ["--unused-for", "90"],
        ["--unused-for", "99999y"],
    ] {
        let ended = place.run(&[&["list"][..], &bad].concat());
        assert!(ended.failed(2).contains(bad[0]), "{ended:?}");
    }
}

/// A clock that is a hundred days behind.
#[derive(Debug)]
struct Behind;

impl Clock for Behind {
    fn now(&self) -> Timestamp {
        Timestamp::now() - SignedDuration::from_hours(100 * 24)
    }
}

#[tokio::test]
async fn list_finds_unused_tokens_and_previous_secrets() {
    let place = Place::new();
    let store = SqliteStore::open(place.path().join("tokens.db")).await.unwrap();
    let service = Hallpass::builder(store).clock(Behind).build();
    let alice = Actor::owner("alice");
    for name in ["old", "renewed"] {
        let _ = service.issue(&alice, NewToken::named(name).expires("never")).await.unwrap();
    }
    service.shutdown().await.unwrap();
    place.issue(&[]);
    let ids = place.json(&["list", "--search", "renewed"]);
    let id = ids["items"][0]["id"].as_str().unwrap();
    place.run(&["regenerate", id, "--grace-period", "1d"]).done();
    for (arguments, expected) in [
        (&["--unused-for", "99d"][..], &["old", "renewed"][..]),
        (&["--unused-for", "101d"], &[]),
        (&["--unused-for", "1h"], &["old", "renewed"]),
        (&["--previous-secret"], &["renewed"]),
        (&["--previous-secret", "--unused-for", "101d"], &[]),
    ] {
        let listed = place.json(&[&["list", "--sort", "name"], arguments].concat());
        assert_eq!(names(&listed), expected, "{arguments:?}");
    }
}

#[test]
fn list_prints_a_table_with_one_line_per_token() {
    let place = Place::new();
    let nothing = place.run(&["list"]).done();
    assert_eq!(nothing.stdout, "");
    issue_three(&place);
    let ended = place.run(&["list", "--limit", "2"]).done();
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 3);
    for (line, told) in
        lines.iter().zip([["ID", "LAST USED"], ["bob", "revoked"], ["alice", "active"]])
    {
        assert!(told.iter().all(|told| line.contains(told)), "{line}");
    }
    assert!(ended.stderr.contains("2 of 3"), "{}", ended.stderr);
}

#[test]
fn list_reads_several_pages_up_to_the_limit() {
    let place = Place::new();
    for number in 0..103 {
        let name = format!("{number:03}");
        let arguments =
            ["issue", "--owner", "alice", "--name", &name, "--tokens-per-owner", "none"];
        place.run(&arguments).done();
    }
    let listed = |arguments: &[&str]| {
        let listed = place.json(&[&["list", "--sort", "name"], arguments].concat());
        let names: Vec<usize> = names(&listed).iter().map(|name| name.parse().unwrap()).collect();
        assert_eq!(listed["total"], 103);
        assert!(names.iter().copied().eq(0..names.len()), "{names:?}");
        names.len()
    };
    assert_eq!(listed(&[]), 100);
    assert_eq!(listed(&["--limit", "101"]), 101);
    assert_eq!(listed(&["--limit", "1000"]), 103);
    assert_eq!(listed(&["--all"]), 103);
    assert_eq!(
        place.run(&["list", "--all", "--limit", "5"]).code,
        2,
        "`--all` and `--limit` exclude each other"
    );

    // A reader that closes the pipe early does not cause an error.
    let mut child = place.command(&["list", "--all"]).spawn().expect("cannot start the command");
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("cannot wait for the command");
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn show_prints_a_token_without_its_secret() {
    let place = Place::new();
    let issued = place.issue(&["--scope", "projects:read", "--description", "two\nlines"]);
    let shown = place.json(&["show", &issued.id]);
    assert_eq!((&shown["id"], &shown["description"]), (&json!(issued.id), &json!("two\nlines")));
    assert!(shown.get("token").is_none());
    let table = place.run(&["show", &issued.id.to_uppercase()]).done().stdout;
    assert!(table.contains("two lines") && table.contains(&issued.id), "{table}");
    let unknown = place.run(&["show", "018f3c1e-7a2b-8c4d-9e5f-0123456789ab"]);
    assert_eq!(unknown.failed(3), "no such token");
    assert!(place.run(&["show", "42"]).failed(2).contains("UUID"));
}

#[test]
fn texts_cannot_control_the_terminal() {
    let place = Place::new();
    // A terminal reads U+009B like ESC and `[`, and U+202E reverses the rest of the line.
    let hostile = "\u{9b}31m\u{7f}\u{202e}\u{2028}\u{1b}]0;x\u{7}";
    let issued = place.issue(&["--metadata", &format!("key={hostile}")]);
    for arguments in [
        &["show", issued.id.as_str()][..],
        &["show", &issued.id, "--json"],
        &["list", "--json"],
        &["audit", "--json"],
        &["audit"],
    ] {
        let printed = place.run(arguments).done().stdout;
        let is_hostile = |c: char| (c != '\n' && c.is_control()) || hostile[6..].contains(c);
        let found: String = printed.chars().filter(|c| !c.is_ascii() && is_hostile(*c)).collect();
        assert_eq!(found, "", "{arguments:?}");
        assert!(!printed.contains(['\u{7f}', '\u{1b}', '\u{7}']), "{arguments:?}");
    }
    assert_eq!(place.json(&["show", &issued.id])["metadata"]["key"], *hostile);
}

#[test]
fn error_names_the_invalid_argument() {
    let place = Place::new();
    for (arguments, said) in [
        (&["list", "--nope"][..], "--nope"),
        (&["lst"], "list"),
        (&["list", "--status", "dead"], "expired"),
        (&["issue", "--owner", "alice"], "--name"),
        (&["show"], "<ID>"),
    ] {
        let ended = place.run(arguments);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.stderr.contains(said), "{ended:?}");
    }
    let nothing = place
        .command::<&str>(&[])
        .stderr(Stdio::piped())
        .output()
        .expect("cannot start the command");
    assert_eq!(nothing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("Usage: hallpass"));
    let help = place.run(&["--help"]).done().stdout;
    assert!(help.contains("Exit codes: 0"), "{help}");
}
