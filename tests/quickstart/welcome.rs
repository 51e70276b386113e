//! Tests the message that the quickstart prints at its start.

use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::timeout;

use crate::harness::{Issued, PATIENCE, Protocol, TestDir};

/// Returns the printed `curl` commands.
fn curl_lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| line.starts_with("curl ")).map(String::from).collect()
}

/// Returns whether the message is complete. Its last line is the command that lists the tokens.
fn is_complete(text: &str) -> bool {
    text.lines().any(|line| {
        line.starts_with("  curl ") && line.ends_with("/tokens") && !line.contains("-d")
    })
}

/// Runs a command line in a shell and returns its output.
async fn paste(line: &str, dir: &TestDir) -> String {
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).current_dir(dir.path()).kill_on_drop(true);
    // Requests to the loopback address must not go through a configured proxy.
    shell.env("NO_PROXY", "*").env("no_proxy", "*");
    let output = timeout(PATIENCE, shell.output())
        .await
        .expect("the command does not end")
        .expect("cannot run `sh`");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_ne!(output.status.code(), Some(127), "this test needs `curl`: install it ({errors})");
    assert!(output.status.success(), "{line}: {}: {errors}", output.status);
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn status(answer: &str) -> &str {
    answer.split_whitespace().nth(1).expect("a status line")
}

#[tokio::test]
async fn first_line_is_the_address() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    assert_ne!(server.address().port(), 0, "the message does not have the selected port");
    let line = format!("listening on http://{}", server.address());
    let printed = server.stop().await;
    assert_eq!(printed.stdout.lines().filter(|printed| **printed == line).count(), 1);
    assert_eq!(printed.stdout.lines().next(), Some(&*line));
    assert_eq!(printed.stderr, "");
}

#[tokio::test]
async fn first_token_belongs_to_alice_and_works() {
    let dir = TestDir::new();
    let mut server = dir.start(&[]).await;
    let token = server.first_token().await;
    let (prefix, rest) = token.split_once('_').expect("a prefix");
    assert_eq!((prefix, rest.len()), ("hp", 22 + 43 + 6));
    assert!(rest.bytes().all(|byte| byte.is_ascii_alphanumeric()));

    let client = server.client(Protocol::Http1);
    let me = client.get("/api/me").bearer(&token).answer().await.expect(200).json();
    assert_eq!(me["owner"], "alice");
    assert_eq!(me["scopes"], json!(["projects:list", "projects:read"]), "the preset `read-only`");
    let tokens = client.sign_in("alice").await.all().await;
    assert_eq!(tokens.len(), 1);
    assert_eq!(tokens[0]["id"], me["token_id"]);
    server.stop().await;
}

#[tokio::test]
async fn first_token_is_printed_only_if_the_store_is_empty() {
    let dir = TestDir::new();
    let first = dir.start(&[]).await.stop().await.stdout;
    assert!(is_complete(&first));
    assert!(first.contains("/settings/tokens as alice"), "{first}");
    assert!(first.contains("hp_"));

    let mut server = dir.start(&[]).await;
    let second = server.printed(is_complete).await;
    assert!(!second.contains("hp_"), "{second}");
    // A store with a revoked token of another user is not empty, either.
    let client = server.client(Protocol::Http1);
    let bob = client.sign_in("bob").await;
    bob.revoke(&bob.issue(&[]).await.id).await;
    let alice = client.sign_in("alice").await;
    alice.delete_all().await;
    server.stop().await;
    assert!(!dir.start(&[]).await.stop().await.stdout.contains("hp_"));

    let server = dir.start(&[]).await;
    server.client(Protocol::Http1).sign_in("bob").await.delete_all().await;
    server.stop().await;
    assert!(
        dir.start(&[]).await.stop().await.stdout.contains("hp_"),
        "the empty store got no first token"
    );
}

#[tokio::test]
async fn printed_commands_work() {
    let dir = TestDir::new();
    let mut server = dir.start(&[]).await;
    let lines = curl_lines(&server.printed(is_complete).await);
    assert_eq!(lines.len(), 6, "{lines:#?}");

    let listed = paste(&lines[0], &dir).await;
    assert_eq!(status(&listed), "200", "{listed}");
    assert!(listed.contains("borealis"));
    let shown = paste(&lines[1], &dir).await;
    assert!(lines[1].contains("session="));
    assert_eq!(status(&shown), "200", "{shown}");
    assert!(shown.contains("Atlas"));
    let rejected = paste(&lines[2], &dir).await;
    assert_eq!(status(&rejected), "403", "{rejected}");
    assert!(rejected.contains(r#"scope="projects:delete:atlas""#));

    assert_eq!(status(&paste(&lines[3], &dir).await), "303");
    let issued: Value = serde_json::from_str(&paste(&lines[4], &dir).await).expect("JSON");
    assert_eq!(issued["name"], "ci");
    assert!(issued["expires_at"].is_string());
    let listed: Value = serde_json::from_str(&paste(&lines[5], &dir).await).expect("JSON");
    assert_eq!(listed["total"], 2);
    assert_eq!(listed["items"][0]["id"], issued["id"]);

    let token = issued["token"].as_str().expect("a token");
    let client = server.client(Protocol::Http1);
    assert_eq!(client.status_with(token).await, 200);
    server.stop().await;
}

#[tokio::test]
async fn printed_commands_of_a_later_start_work() {
    let dir = TestDir::new();
    dir.start(&[]).await.stop().await;
    let mut server = dir.start(&[]).await;
    let lines = curl_lines(&server.printed(is_complete).await);
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert_eq!(status(&paste(&lines[0], &dir).await), "303");
    let issued: Value = serde_json::from_str(&paste(&lines[1], &dir).await).expect("JSON");
    assert!(issued["token"].is_string());
    let listed: Value = serde_json::from_str(&paste(&lines[2], &dir).await).expect("JSON");
    assert_eq!(listed["total"], 2);
    server.stop().await;
}

#[tokio::test]
async fn printed_commands_work_with_confirmation() {
    let dir = TestDir::new();
    let mut server = dir.start(&["--confirm"]).await;
    let lines = curl_lines(&server.printed(is_complete).await);
    assert_eq!(status(&paste(&lines[3], &dir).await), "303");
    let issued: Value = serde_json::from_str(&paste(&lines[4], &dir).await).expect("JSON");
    assert_eq!(issued["name"], "ci", "{issued}");
    server.stop().await;
}

#[tokio::test]
async fn issued_token_is_not_printed() {
    let dir = TestDir::new();
    let server = dir.start(&[]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let Issued { token, .. } = alice.issue(&["projects"]).await;
    assert_eq!(alice.client.status_with(&token).await, 200);
    let printed = server.stop().await;
    assert!(!printed.stdout.contains(&token) && !printed.stderr.contains(&token));
}
