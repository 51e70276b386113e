//! Tests of `--store`, `migrate` and `completions`.

use crate::harness::{Ended, Place};

#[test]
fn only_migrate_creates_a_store() {
    let place = Place::empty();
    for arguments in
        [&["list"][..], &["issue", "--owner", "alice", "--name", "ci"], &["prune", "--yes"]]
    {
        let ended = place.run(arguments);
        assert!(
            ended.failed(1).contains("tokens.db does not exist: run `hallpass migrate`"),
            "{ended:?}"
        );
    }
    assert_eq!(std::fs::read_dir(place.path()).expect("cannot read the directory").count(), 0);
    assert_eq!(place.run(&["migrate"]).done().stderr, "The store is ready.\n");
    let id = place.issue(&[]).id;
    assert_eq!(place.json(&["migrate"]), serde_json::json!({ "ready": true }));
    place.run(&["show", &id]).done();
}

#[test]
fn option_overrides_the_variable() {
    let place = Place::new();
    // The service may read the same URL for a pool of its own, so it may have parameters.
    let other = format!("sqlite://{}?mode=rwc", place.path().join("other.db").display());
    place.run(&["migrate", "--store", &other]).done();
    place.run(&["--store", &other, "issue", "--owner", "alice", "--name", "ci"]).done();
    assert_eq!(place.json(&["list", "--store", &other])["total"], 1);
    assert_eq!(place.json(&["list"])["total"], 0);
}

#[test]
fn error_of_an_invalid_store_contains_the_reason() {
    let place = Place::empty();
    let none = Ended::of(place.command(&["list"]).env_remove("HALLPASS_STORE"));
    assert!(none.failed(2).contains("--store"), "{none:?}");
    for url in ["", "nonsense", "memory", "memory:x", "mysql://host/db", "SQLITE:x.db", "tokens.db"]
    {
        let ended = place.run(&["list", "--store", url]);
        let message = ended.failed(2);
        assert!(message.contains("--store") && message.contains("`memory:`"), "{url}: {message}");
    }
    place.write("notes.txt", &"this was here before\n".repeat(100));
    std::fs::create_dir(place.path().join("folder")).expect("a folder");
    for (url, message) in [
        ("sqlite:notes.txt", "is not a SQLite database"),
        ("sqlite:folder", "is not a regular file"),
        ("sqlite:", "sqlite:"),
        ("sqlite::memory:", "does not exist"),
    ] {
        let ended = place.run(&["list", "--store", url]);
        assert!(ended.failed(1).contains(message), "{url}: {ended:?}");
    }
    let missing = place.run(&["migrate", "--store", "sqlite:missing/tokens.db"]);
    assert!(missing.failed(1).contains("create it, or use another path"), "{missing:?}");
}

#[test]
fn address_with_tls_is_an_error_without_a_tls_feature() {
    let place = Place::empty();
    for url in ["rediss://host:6379", "postgres://host/app?sslmode=verify-full"] {
        let ended = place.run(&["list", "--store", url]);
        assert!(ended.failed(2).contains("--features rustls"), "{url}: {ended:?}");
    }
}

#[test]
fn memory_store_is_lost_when_the_command_ends() {
    let place = Place::empty();
    let issue = ["--store", "memory:", "issue", "--owner", "alice", "--name", "ci"];
    assert!(place.run(&issue).done().stdout.starts_with("hp_"));
    assert_eq!(place.json(&["--store", "memory:", "list"])["total"], 0);
}

#[test]
fn completions_are_printed_for_every_shell() {
    let place = Place::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let mut command = place.command(&["completions", shell]);
        let ended =
            Ended::of(command.env("HALLPASS_STORE", "postgres://user:hunter2@host/db")).done();
        assert!(
            ended.stdout.contains("regenerate") && ended.stdout.contains("remove-scope"),
            "{shell}"
        );
        assert!(!ended.stdout.contains("hunter2"));
    }
}
