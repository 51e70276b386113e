//! Tests of `audit`, metadata and `revoke --everyone`.

use std::io::{BufRead as _, BufReader};

use serde_json::{Value, json};

use crate::harness::Place;

fn entries(place: &Place, arguments: &[&str]) -> Vec<Value> {
    let ended = place.run(&[&["audit", "--json"], arguments].concat()).done();
    ended.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn issue(place: &Place, owner: &str, name: &str) {
    place.run(&["issue", "--owner", owner, "--name", name]).done();
}

fn kinds(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["kind"].as_str().expect("a kind")).collect()
}

#[test]
fn audit_shows_who_changed_what() {
    let place = Place::new();
    let token = place.issue(&["--metadata", "team=build"]);
    let rename = ["update", &token.id, "--name", "nightly", "--remove-metadata", "team"];
    place.run(&rename).done();
    place.run(&["revoke", &token.id]).done();

    let all = entries(&place, &[]);
    assert_eq!(kinds(&all), ["revoked", "updated", "issued"]);
    assert_eq!(kinds(&entries(&place, &["--all"])), ["issued", "updated", "revoked"]);
    assert_eq!(kinds(&entries(&place, &["--kind", "updated"])), ["updated"]);
    assert_eq!(kinds(&entries(&place, &["--limit", "1"])), ["revoked"]);
    assert_eq!(entries(&place, &["--owner", "alice"]).len(), 3);
    assert_eq!(entries(&place, &["--owner", "bob"]).len(), 0);
    assert_eq!(entries(&place, &["--token", &token.id]).len(), 3);
    assert_eq!(entries(&place, &["--until", "2020-01-01T00:00:00Z"]).len(), 0);
    assert_eq!(entries(&place, &["--since", "2020-01-01T00:00:00Z"]).len(), 3);

    let updated = &all[1];
    assert_eq!(updated["actor"], "hallpass-cli");
    assert_eq!(updated["owner"], "alice");
    assert_eq!(updated["token_id"], *token.id);
    assert_eq!(
        updated["changes"],
        json!([
            {"field": "name", "before": "ci", "after": "nightly"},
            {"field": "metadata", "before": {"team": "build"}, "after": null},
        ])
    );
    let table = place.run(&["audit"]).done().stdout;
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[0].starts_with("SEQ") && lines[2].contains("name,metadata"), "{table}");
    for bad in [["--since", "yesterday"], ["--token", "x"]] {
        let ended = place.run(&[&["audit"][..], &bad].concat());
        assert!(!ended.failed(2).is_empty(), "{ended:?}");
    }
    let ended = place.run(&["audit", "--kind", "stolen"]);
    assert!(ended.code == 2 && ended.stderr.contains("possible values: issued, "), "{ended:?}");
}

#[test]
fn audit_follow_shows_new_entries() {
    let place = Place::new();
    issue(&place, "alice", "before");
    let mut follower =
        place.command(&["audit", "--follow", "--json"]).spawn().expect("cannot start the command");
    let mut lines = BufReader::new(follower.stdout.take().expect("a pipe")).lines();
    let mut next = || -> Value {
        let line = lines.next().expect("a line").expect("UTF-8");
        serde_json::from_str(&line).expect("JSON")
    };
    assert_eq!(next()["changes"][0]["after"], "before");
    issue(&place, "alice", "after");
    assert_eq!(next()["changes"][0]["after"], "after");
    follower.kill().expect("cannot kill the command");
    follower.wait().expect("cannot wait for the command");
}

#[test]
fn revoke_everyone_leaves_tokens_issued_after_the_given_time() {
    let place = Place::new();
    for owner in ["alice", "bob"] {
        issue(&place, owner, "ci");
    }
    let spared = ["revoke", "--everyone", "--issued-before", "2020-01-01T00:00:00Z"];
    assert_eq!(place.json(&spared)["revoked"], 0);
    assert_eq!(place.json(&["revoke", "--everyone"])["revoked"], 2);
    assert_eq!(place.json(&["list", "--status", "active"])["total"], 0);
}
