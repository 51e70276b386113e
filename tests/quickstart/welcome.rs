//! What it prints.

use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::timeout;

use crate::harness::{Issued, PATIENCE, Place, Protocol};

/// The printed lines that are to be pasted.
fn curl_lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| line.starts_with("curl ")).map(String::from).collect()
}

/// Whether all is printed: the last line lists the tokens.
fn is_complete(text: &str) -> bool {
    text.lines().any(|line| {
        line.starts_with("  curl ") && line.ends_with("/tokens") && !line.contains("-d")
    })
}

/// Runs a line as it is, as a shell does into which it is pasted.
async fn paste(line: &str, place: &Place) -> String {
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).current_dir(place.path()).kill_on_drop(true);
    // A proxy of this machine does not know the way to a server on it.
    shell.env("NO_PROXY", "*").env("no_proxy", "*");
    let output = timeout(PATIENCE, shell.output()).await.expect("it ends").expect("a shell");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_ne!(
        output.status.code(),
        Some(127),
        "this test needs curl: install it, please ({errors})"
    );
    assert!(output.status.success(), "{line}: {}: {errors}", output.status);
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn status(answer: &str) -> &str {
    answer.split_whitespace().nth(1).expect("a status line")
}

#[tokio::test]
async fn it_says_where_it_listens_as_a_line_of_its_own() {
    let place = Place::new();
    let server = place.start(&[]).await;
    assert_ne!(server.address().port(), 0, "it says which port it picked");
    let line = format!("listening on http://{}", server.address());
    let printed = server.stop().await;
    assert_eq!(printed.stdout.lines().filter(|printed| **printed == line).count(), 1);
    assert_eq!(printed.stdout.lines().next(), Some(&*line));
    assert_eq!(printed.stderr, "");
}

#[tokio::test]
async fn the_first_token_is_alices_and_works() {
    let place = Place::new();
    let mut server = place.start(&[]).await;
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
async fn the_first_token_is_printed_only_when_the_store_was_empty() {
    let place = Place::new();
    let first = place.start(&[]).await.stop().await.stdout;
    assert!(is_complete(&first));
    assert!(first.contains("hp_"));

    let mut server = place.start(&[]).await;
    let second = server.printed(is_complete).await;
    assert!(!second.contains("hp_"), "{second}");
    // Somebody else's token, and a revoked one, are tokens too.
    let client = server.client(Protocol::Http1);
    let bob = client.sign_in("bob").await;
    bob.revoke(&bob.issue(&[]).await.id).await;
    let alice = client.sign_in("alice").await;
    alice.delete_all().await;
    server.stop().await;
    assert!(!place.start(&[]).await.stop().await.stdout.contains("hp_"));

    let server = place.start(&[]).await;
    server.client(Protocol::Http1).sign_in("bob").await.delete_all().await;
    server.stop().await;
    assert!(place.start(&[]).await.stop().await.stdout.contains("hp_"), "it is empty again");
}

#[tokio::test]
async fn the_curl_lines_work_when_pasted() {
    let place = Place::new();
    let mut server = place.start(&[]).await;
    let lines = curl_lines(&server.printed(is_complete).await);
    assert_eq!(lines.len(), 6, "{lines:#?}");

    let listed = paste(&lines[0], &place).await;
    assert_eq!(status(&listed), "200", "{listed}");
    assert!(listed.contains("borealis"));
    let shown = paste(&lines[1], &place).await;
    assert!(lines[1].contains("session="));
    assert_eq!(status(&shown), "200", "{shown}");
    assert!(shown.contains("Atlas"));
    let refused = paste(&lines[2], &place).await;
    assert_eq!(status(&refused), "403", "{refused}");
    assert!(refused.contains(r#"scope="projects:delete:atlas""#));

    assert_eq!(status(&paste(&lines[3], &place).await), "303");
    let issued: Value = serde_json::from_str(&paste(&lines[4], &place).await).expect("JSON");
    assert_eq!(issued["name"], "ci");
    assert!(issued["expires_at"].is_string());
    let listed: Value = serde_json::from_str(&paste(&lines[5], &place).await).expect("JSON");
    assert_eq!(listed["total"], 2);
    assert_eq!(listed["items"][0]["id"], issued["id"]);

    let token = issued["token"].as_str().expect("a token");
    let client = server.client(Protocol::Http1);
    assert_eq!(client.status_with(token).await, 200);
    server.stop().await;
}

#[tokio::test]
async fn the_curl_lines_of_a_later_start_work_too() {
    let place = Place::new();
    place.start(&[]).await.stop().await;
    let mut server = place.start(&[]).await;
    let lines = curl_lines(&server.printed(is_complete).await);
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert_eq!(status(&paste(&lines[0], &place).await), "303");
    let issued: Value = serde_json::from_str(&paste(&lines[1], &place).await).expect("JSON");
    assert!(issued["token"].is_string());
    let listed: Value = serde_json::from_str(&paste(&lines[2], &place).await).expect("JSON");
    assert_eq!(listed["total"], 2);
    server.stop().await;
}

#[tokio::test]
async fn the_curl_lines_work_where_changes_are_confirmed() {
    let place = Place::new();
    let mut server = place.start(&["--confirm"]).await;
    let lines = curl_lines(&server.printed(is_complete).await);
    assert_eq!(status(&paste(&lines[3], &place).await), "303");
    let issued: Value = serde_json::from_str(&paste(&lines[4], &place).await).expect("JSON");
    assert_eq!(issued["name"], "ci", "{issued}");
    server.stop().await;
}

#[tokio::test]
async fn a_token_that_people_issue_is_never_printed() {
    let place = Place::new();
    let server = place.start(&[]).await;
    let alice = server.client(Protocol::Http1).sign_in("alice").await;
    let Issued { token, .. } = alice.issue(&["projects"]).await;
    assert_eq!(alice.client.status_with(&token).await, 200);
    let printed = server.stop().await;
    assert!(!printed.stdout.contains(&token) && !printed.stderr.contains(&token));
}
