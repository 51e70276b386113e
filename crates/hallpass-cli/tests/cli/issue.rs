//! Tests of `issue` and of the settings that apply to new tokens.

use std::fs::OpenOptions;

use hallpass_core::{Actor, Hallpass};
use hallpass_sqlite::SqliteStore;
use serde_json::json;

use crate::harness::{Ended, Place};

#[test]
fn standard_output_is_the_token_alone_and_it_authenticates() {
    let place = Place::new();
    let arguments = ["issue", "--owner", "alice", "--name", "ci", "--scope", "projects:read"];
    let ended = place.run(&arguments).done();
    let token = ended.stdout.strip_suffix('\n').expect("a line");
    assert!(token.starts_with("hp_") && token.len() == 74, "{token}");
    assert!(place.works(token));
    assert!(!ended.stderr.contains(token), "the token must be printed once");
    for told in ["alice", "projects:read", "active", "(in 30 days)", "only time"] {
        assert!(ended.stderr.contains(told), "{told}: {}", ended.stderr);
    }
}

#[test]
fn json_output_has_the_members_of_the_rest_api() {
    let place = Place::new();
    let issued = place.json(&[
        "issue",
        "--owner",
        "alice",
        "--name",
        " ci ",
        "--description",
        "nightly\nbuild",
        "--scope",
        "b",
        "--scope",
        "a:*",
        "--expires",
        "2099-01-01",
    ]);
    let token = issued["token"].as_str().expect("a token");
    assert!(place.works(token));
    assert_eq!(issued["scopes"], json!(["a:*", "b"]));
    let expected = json!({
        "owner": "alice", "name": "ci", "description": "nightly\nbuild", "status": "active",
        "expires_at": "2099-01-02T00:00:00Z", "last_used_at": null, "regenerated_at": null,
        "revoked_at": null, "revision": 1, "metadata": {}, "previous_secret_expires_at": null,
    });
    for (member, value) in expected.as_object().expect("an object") {
        assert_eq!(&issued[member], value, "{member}");
    }
    assert_eq!(issued.as_object().expect("an object").len(), 15);
}

#[test]
fn all_invalid_fields_are_reported_at_once_and_nothing_is_issued() {
    let place = Place::new();
    let ended = place.run(&[
        "issue",
        "--owner",
        "alice",
        "--name",
        "a\u{202e}b",
        "--scope",
        "a b",
        "--expires",
        "31-04-2099",
    ]);
    let message = ended.failed(2);
    for field in ["name:", "scopes:", "expires:"] {
        assert!(message.contains(field), "{field} {message}");
    }
    assert!(place.run(&["issue", "--owner", "", "--name", "ci"]).failed(2).contains("--owner"));
    assert_eq!(place.json(&["list"])["total"], 0);
}

#[test]
fn limit_comes_from_the_option_or_the_variable() {
    let place = Place::new();
    place.issue(&["--tokens-per-owner", "1"]);
    let again = ["issue", "--owner", "alice", "--name", "ci", "--tokens-per-owner"];
    let at_the_limit = place.run(&[&again[..], &["1"]].concat());
    assert!(at_the_limit.failed(4).contains("has 1 tokens, and 1 are allowed"), "{at_the_limit:?}");
    let ended = Ended::of(place.command(&again[..5]).env("HALLPASS_LIMIT", "1"));
    ended.failed(4);
    place.run(&[&again[..], &["none"]].concat()).done();
    for bad in ["0", "-1", "many", ""] {
        let equals = format!("--tokens-per-owner={bad}");
        let invalid = place.run(&["list", &equals]);
        assert!(invalid.failed(2).contains("--tokens-per-owner"), "{bad}");
    }
}

#[test]
fn token_that_cannot_be_printed_is_named_by_its_id() {
    let place = Place::new();
    let mut command = place.command(&["issue", "--owner", "alice", "--name", "ci"]);
    let full = OpenOptions::new().write(true).open("/dev/full").expect("this test needs /dev/full");
    let ended = Ended::of(command.stdout(full));
    let id = place.json(&["list"])["items"][0]["id"].as_str().expect("an id").to_owned();
    let message = ended.failed(1);
    assert!(message.contains(&id) && message.contains("regenerate or delete"), "{message}");
}

#[tokio::test]
async fn token_issued_with_the_prefix_and_pepper_of_the_service_works() {
    let place = Place::new();
    let file = place.write("pepper", &"x".repeat(32));
    let settings = ["--prefix", "acme", "--pepper-id", "2026", "--pepper-file", &file];
    let issued = place.issue(&settings);
    assert!(issued.token.starts_with("acme_"));
    let open = async || {
        SqliteStore::open(place.path().join("tokens.db")).await.expect("cannot open the store")
    };
    let service = Hallpass::builder(open().await).prefix("acme").pepper("2026", [b'x'; 32]).build();
    assert!(service.authenticate(issued.token.as_bytes()).await.is_ok());
    let other = Hallpass::builder(open().await).prefix("acme").build();
    assert!(
        other.authenticate(issued.token.as_bytes()).await.is_err(),
        "the digest must depend on the pepper"
    );
    let record = service.get(&Actor::owner("alice"), issued.id.parse().unwrap()).await;
    assert_eq!(record.unwrap().name, "ci");
}

#[test]
fn commands_that_print_a_token_need_the_prefix() {
    let place = Place::new();
    let id = place.issue(&[]).id;
    let issue = ["issue", "--owner", "alice", "--name", "ci"];
    for arguments in [&issue[..], &["copy", &id], &["regenerate", &id]] {
        let ended = Ended::of(place.command(arguments).env_remove("HALLPASS_PREFIX"));
        assert!(ended.failed(2).contains("set --prefix"), "{ended:?}");
    }
    assert_eq!(place.json(&["list"])["total"], 1, "nothing was issued");
    Ended::of(place.command(&["revoke", &id]).env_remove("HALLPASS_PREFIX")).done();
}

#[test]
fn trailing_line_break_in_the_pepper_file_is_an_error() {
    let place = Place::new();
    let file = place.write("pepper", &("x".repeat(32) + "\n"));
    let settings = ["--pepper-id", "2026", "--pepper-file", &file];
    let issue = [&["issue", "--owner", "alice", "--name", "ci"][..], &settings].concat();
    let ended = place.run(&issue);
    let message = ended.failed(2);
    assert!(
        message.contains("ends with a line break") && message.contains("--pepper-as-is"),
        "{message}"
    );
    place.run(&[&issue[..], &["--pepper-as-is"]].concat()).done();
}

#[test]
fn incomplete_or_invalid_pepper_is_an_error() {
    let place = Place::new();
    let short = place.write("short", "x");
    for (arguments, code, said) in [
        (vec!["--pepper-id", "2026"], 2, "--pepper-file"),
        (vec!["--pepper-file", &short], 2, "--pepper-id"),
        (vec!["--pepper-id", "2026", "--pepper-file", &short], 2, "at least 32 bytes"),
        (vec!["--pepper-id", "a b", "--pepper-file", &short], 2, "key id"),
        (vec!["--pepper-id", "2026", "--pepper-file", "missing"], 1, "could not read missing"),
        (vec!["--prefix", "Acme"], 2, "prefix"),
    ] {
        let ended = place.run(&[vec!["list"], arguments].concat());
        assert!(ended.failed(code).contains(said), "{said}: {ended:?}");
    }
}
