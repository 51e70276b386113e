//! Tests the options and the environment variables of the quickstart.

use crate::harness::{Ended, Protocol, Server, TestDir};

/// Checks that the program failed with a single line on the standard error and no other output.
/// Returns that line.
#[track_caller]
fn error_line(ended: &Ended) -> &str {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.stdout, "");
    let sentence = ended
        .stderr
        .strip_prefix("quickstart: ")
        .expect("the error starts with the name of the program");
    assert_eq!(sentence.trim_end().lines().count(), 1, "{sentence}");
    sentence.trim_end()
}

#[tokio::test]
async fn help_lists_options_with_variables_and_defaults() {
    let ended = TestDir::new().run(&["--help"]).await;
    assert_eq!(ended.code, Some(0));
    for (option, variable, default) in [
        ("--listen", "HALLPASS_LISTEN", "127.0.0.1:8080"),
        ("--store", "HALLPASS_STORE", "sqlite:quickstart.db"),
        ("--limit", "HALLPASS_LIMIT", "50"),
    ] {
        let line =
            ended.stdout.lines().find(|line| line.contains(option)).expect("a line for the option");
        assert!(
            line.contains(variable) && line.contains(&format!("[default: {default}]")),
            "{line}"
        );
    }
    let line = ended.stdout.lines().find(|line| line.contains("--confirm")).expect("a line");
    assert!(line.contains("HALLPASS_CONFIRM"), "{line}");
}

#[tokio::test]
async fn default_database_is_quickstart_db() {
    let dir = TestDir::new();
    dir.start(&[]).await.stop().await;
    assert!(dir.files().contains(&"quickstart.db".to_owned()));
}

#[tokio::test]
async fn options_can_be_set_by_environment_variables() {
    let dir = TestDir::new();
    let mut command = dir.command(&[]);
    command
        .env("HALLPASS_LISTEN", "127.0.0.1:0")
        .env("HALLPASS_STORE", "sqlite:other.db")
        .env("HALLPASS_LIMIT", "1");
    let server = Server::started(command).await;
    assert!(dir.files().contains(&"other.db".to_owned()));
    assert!(!dir.files().contains(&"quickstart.db".to_owned()));
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let full = alice.post("/tokens", serde_json::json!({ "name": "second" })).await;
    full.problem(409, "/token-limit");
    server.stop().await;
}

#[tokio::test]
async fn option_overrides_the_environment_variable() {
    let dir = TestDir::new();
    let mut command =
        dir.command(&["--listen", "127.0.0.1:0", "--store", "memory:", "--limit", "2"]);
    command
        .env("HALLPASS_LISTEN", "nonsense")
        .env("HALLPASS_STORE", "nonsense")
        .env("HALLPASS_LIMIT", "nonsense");
    let server = Server::started(command).await;
    assert_eq!(dir.files(), Vec::<String>::new(), "the store in memory wrote a file");
    server.stop().await;
}

#[tokio::test]
async fn store_can_be_a_url_with_an_absolute_path() {
    let dir = TestDir::new();
    let path = dir.path().join("elsewhere.db");
    let store = format!("sqlite://{}", path.display());
    dir.start(&["--store", &store]).await.stop().await;
    assert!(path.is_file());
}

#[tokio::test]
async fn invalid_store_is_a_one_line_error() {
    let dir = TestDir::new();
    for store in
        ["nonsense", "", "memory", "memory:x", "mysql://user:hunter2@host/db", "SQLITE:x.db"]
    {
        let ended = dir.run(&["--listen", "127.0.0.1:0", "--store", store]).await;
        let sentence = error_line(&ended);
        assert!(
            sentence.contains("--store") && sentence.contains("sqlite:"),
            "{store}: {sentence}"
        );
        assert!(!sentence.contains("hunter2"), "the error contains the password");
    }
    let ended = dir.run(&["--listen", "127.0.0.1:0", "--store", "sqlite:"]).await;
    assert!(error_line(&ended).contains("sqlite:"));
    assert_eq!(dir.files(), Vec::<String>::new());
}

#[tokio::test]
async fn unusable_database_is_a_one_line_error_and_is_not_changed() {
    let dir = TestDir::new();
    let text = "this was here before\n".repeat(100);
    std::fs::write(dir.path().join("notes.txt"), &text).unwrap();
    std::fs::create_dir(dir.path().join("folder")).unwrap();
    let before = dir.files();
    for (path, what) in [
        ("missing/tokens.db", "create it, or use another path"),
        ("notes.txt", "is not a SQLite database"),
        ("folder", "is not a regular file"),
        ("notes.txt/tokens.db", "notes.txt"),
    ] {
        let store = format!("sqlite:{path}");
        let ended = dir.run(&["--listen", "127.0.0.1:0", "--store", &store]).await;
        assert!(error_line(&ended).contains(what), "{path}: {ended:?}");
        assert_eq!(dir.files(), before, "{path}");
    }
    assert_eq!(std::fs::read_to_string(dir.path().join("notes.txt")).unwrap(), text);
}

#[tokio::test]
async fn port_in_use_is_a_one_line_error_and_creates_no_store() {
    let (first, second) = (TestDir::new(), TestDir::new());
    let server = first.start(&[]).await;
    let address = server.address().to_string();
    let ended = second.run(&["--listen", &address]).await;
    let sentence = error_line(&ended);
    assert!(sentence.contains(&address) && sentence.contains("in use"), "{sentence}");
    assert_eq!(second.files(), Vec::<String>::new());
    assert_eq!(server.client(Protocol::Http1).get("/api/health").answer().await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn invalid_address_is_a_one_line_error() {
    let dir = TestDir::new();
    for listen in ["nonsense", "127.0.0.1", "127.0.0.1:99999", ""] {
        let ended = dir.run(&["--listen", listen, "--store", "memory:"]).await;
        assert!(
            error_line(&ended).starts_with(&format!("cannot listen on {listen}:")),
            "{ended:?}"
        );
    }
}

#[tokio::test]
async fn other_invalid_arguments_are_named() {
    let dir = TestDir::new();
    for (arguments, named) in [
        (["--limit", "many"], "--limit"),
        (["--limit", "0"], "--limit"),
        (["--limit", "-1"], "-1"),
        (["--limit", "5000000000"], "--limit"),
        (["--stoer", "memory:"], "--stoer"),
    ] {
        let ended = dir.run(&arguments).await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert_eq!(ended.stdout, "");
        assert!(ended.stderr.starts_with("error: ") && ended.stderr.contains(named), "{ended:?}");
    }
    assert_eq!(dir.files(), Vec::<String>::new());
}
