//! Tests that only digests are sent to the server.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use hallpass_core::{Actor, Hallpass, NewToken, RegenerateOptions};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn server_never_sees_a_secret() {
    let server = server();
    let mut monitor = TcpStream::connect(server.address()).unwrap();
    monitor.write_all(b"MONITOR\r\n").unwrap();
    let mut monitor = BufReader::new(monitor);
    let mut line = String::new();
    monitor.read_line(&mut line).unwrap();
    assert_eq!(line, "+OK\r\n");

    let store = open(&server).await;
    let hallpass = Hallpass::builder(store).build();
    let alice = Actor::owner("alice");
    let issued = hallpass.issue(&alice, NewToken::named("canary")).await.unwrap();
    hallpass.authenticate(issued.token.reveal().as_bytes()).await.unwrap();
    let again =
        hallpass.regenerate(&alice, issued.record.id, RegenerateOptions::default()).await.unwrap();
    hallpass.authenticate(again.token.reveal().as_bytes()).await.unwrap();
    hallpass.authenticate(issued.token.reveal().as_bytes()).await.unwrap_err();
    hallpass.revoke(&alice, issued.record.id).await.unwrap();
    run(&server, &["PING", "that was all"]);

    let mut seen = String::new();
    while !seen.contains("that was all") {
        line.clear();
        monitor.read_line(&mut line).unwrap();
        seen += &line;
    }
    assert!(seen.contains("EVALSHA") && seen.contains("HGETALL") && seen.contains("canary"));
    for token in [issued.token, again.token] {
        let text = token.reveal();
        // The prefix of 3 characters and the id of 22 characters are public.
        let secret = &text[25..];
        for piece in secret.as_bytes().windows(12) {
            let piece = std::str::from_utf8(piece).unwrap();
            assert!(!seen.contains(piece), "a part of a secret was sent");
        }
    }
}
