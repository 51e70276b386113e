//! Options and environment variables, good and bad.

use crate::harness::{Ended, Place, Protocol, Server};

/// What is said when it does not start: one sentence, where errors go, and nothing else.
#[track_caller]
fn said(ended: &Ended) -> &str {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.stdout, "");
    let sentence = ended.stderr.strip_prefix("quickstart: ").expect("it says who speaks");
    assert_eq!(sentence.trim_end().lines().count(), 1, "{sentence}");
    sentence.trim_end()
}

#[tokio::test]
async fn the_help_names_every_option_its_variable_and_its_default() {
    let ended = Place::new().run(&["--help"]).await;
    assert_eq!(ended.code, Some(0));
    for (option, variable, default) in [
        ("--listen", "HALLPASS_LISTEN", "127.0.0.1:8080"),
        ("--store", "HALLPASS_STORE", "sqlite:quickstart.db"),
        ("--limit", "HALLPASS_LIMIT", "50"),
    ] {
        let line =
            ended.stdout.lines().find(|line| line.contains(option)).expect("a line of its own");
        assert!(
            line.contains(variable) && line.contains(&format!("[default: {default}]")),
            "{line}"
        );
    }
    let line = ended.stdout.lines().find(|line| line.contains("--confirm")).expect("a line");
    assert!(line.contains("HALLPASS_CONFIRM"), "{line}");
}

#[tokio::test]
async fn without_options_it_keeps_its_tokens_in_quickstart_db() {
    let place = Place::new();
    place.start(&[]).await.stop().await;
    assert!(place.files().contains(&"quickstart.db".to_owned()));
}

#[tokio::test]
async fn each_option_is_an_environment_variable_too() {
    let place = Place::new();
    let mut command = place.command(&[]);
    command
        .env("HALLPASS_LISTEN", "127.0.0.1:0")
        .env("HALLPASS_STORE", "sqlite:other.db")
        .env("HALLPASS_LIMIT", "1");
    let server = Server::started(command).await;
    assert!(place.files().contains(&"other.db".to_owned()));
    assert!(!place.files().contains(&"quickstart.db".to_owned()));
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let full = alice.post("/tokens", serde_json::json!({ "name": "second" })).await;
    full.problem(409, "/token-limit");
    server.stop().await;
}

#[tokio::test]
async fn an_option_counts_more_than_the_variable() {
    let place = Place::new();
    let mut command =
        place.command(&["--listen", "127.0.0.1:0", "--store", "memory:", "--limit", "2"]);
    command
        .env("HALLPASS_LISTEN", "nonsense")
        .env("HALLPASS_STORE", "nonsense")
        .env("HALLPASS_LIMIT", "nonsense");
    let server = Server::started(command).await;
    assert_eq!(place.files(), Vec::<String>::new(), "memory leaves nothing behind");
    server.stop().await;
}

#[tokio::test]
async fn a_store_may_be_written_as_a_url_with_an_absolute_path() {
    let place = Place::new();
    let path = place.path().join("elsewhere.db");
    let store = format!("sqlite://{}", path.display());
    place.start(&["--store", &store]).await.stop().await;
    assert!(path.is_file());
}

#[tokio::test]
async fn a_store_that_is_none_is_a_sentence() {
    let place = Place::new();
    for store in
        ["nonsense", "", "memory", "memory:x", "mysql://user:hunter2@host/db", "SQLITE:x.db"]
    {
        let ended = place.run(&["--listen", "127.0.0.1:0", "--store", store]).await;
        let sentence = said(&ended);
        assert!(
            sentence.contains("--store") && sentence.contains("sqlite:"),
            "{store}: {sentence}"
        );
        assert!(!sentence.contains("hunter2"), "a password may be in it");
    }
    let ended = place.run(&["--listen", "127.0.0.1:0", "--store", "sqlite:"]).await;
    assert!(said(&ended).contains("sqlite:"));
    assert_eq!(place.files(), Vec::<String>::new());
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_a_sentence_and_nothing_is_touched() {
    let place = Place::new();
    let text = "this was here before\n".repeat(100);
    std::fs::write(place.path().join("notes.txt"), &text).unwrap();
    std::fs::create_dir(place.path().join("folder")).unwrap();
    let before = place.files();
    for (path, what) in [
        ("missing/tokens.db", "there is no directory"),
        ("notes.txt", "is not a SQLite database"),
        ("folder", "is not a regular file"),
        ("notes.txt/tokens.db", "notes.txt"),
    ] {
        let store = format!("sqlite:{path}");
        let ended = place.run(&["--listen", "127.0.0.1:0", "--store", &store]).await;
        assert!(said(&ended).contains(what), "{path}: {ended:?}");
        assert_eq!(place.files(), before, "{path}");
    }
    assert_eq!(std::fs::read_to_string(place.path().join("notes.txt")).unwrap(), text);
}

#[tokio::test]
async fn a_port_in_use_is_a_sentence_and_no_store_is_made() {
    let (first, second) = (Place::new(), Place::new());
    let server = first.start(&[]).await;
    let address = server.address().to_string();
    let ended = second.run(&["--listen", &address]).await;
    let sentence = said(&ended);
    assert!(sentence.contains(&address) && sentence.contains("in use"), "{sentence}");
    assert_eq!(second.files(), Vec::<String>::new());
    assert_eq!(server.client(Protocol::Http1).get("/api/health").answer().await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn an_address_that_is_none_is_a_sentence() {
    let place = Place::new();
    for listen in ["nonsense", "127.0.0.1", "127.0.0.1:99999", ""] {
        let ended = place.run(&["--listen", listen, "--store", "memory:"]).await;
        assert!(said(&ended).starts_with(&format!("cannot listen on {listen}:")), "{ended:?}");
    }
}

#[tokio::test]
async fn other_nonsense_is_told_by_name() {
    let place = Place::new();
    for (arguments, named) in [
        (["--limit", "many"], "--limit"),
        (["--limit", "0"], "--limit"),
        (["--limit", "-1"], "-1"),
        (["--limit", "5000000000"], "--limit"),
        (["--stoer", "memory:"], "--stoer"),
    ] {
        let ended = place.run(&arguments).await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert_eq!(ended.stdout, "");
        assert!(ended.stderr.starts_with("error: ") && ended.stderr.contains(named), "{ended:?}");
    }
    assert_eq!(place.files(), Vec::<String>::new());
}
