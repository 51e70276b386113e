//! Tests that the store sends only digests: the log of a server that logs everything contains no
//! secret.

use hallpass_core::{Actor, Hallpass, NewToken, RegenerateOptions};
use hallpass_postgres::{PostgresSettings, PostgresStore};
use hallpass_servers::Postgres;

#[tokio::test]
async fn log_of_all_statements_contains_no_secret() {
    let server =
        Postgres::start_with(&["log_statement=all", "log_min_duration_statement=0"]).unwrap();
    for settings in [PostgresSettings::default(), PostgresSettings::default().disable_listen()] {
        let store =
            PostgresStore::connect_with(server.url(), settings).await.expect("the store opens");
        lead_a_life(store).await;
    }
    let log = server.log().unwrap();
    assert!(log.contains("INSERT INTO hallpass.tokens"), "the log does not contain the statements");
    assert!(log.contains("a token of the life"), "the log does not contain the values");
    for secret in SECRETS.lock().unwrap().iter() {
        assert!(!log.contains(secret), "a secret is in the server's log");
        let hex: String = secret.bytes().map(|b| format!("{b:02x}")).collect();
        assert!(!log.contains(&hex), "a secret is in the server's log, in hexadecimal form");
    }
}

/// The texts that must not be found: whole tokens, and their secrets alone.
static SECRETS: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());

fn keep(token: &hallpass_core::PlainToken) {
    let whole = token.reveal().to_owned();
    // `<prefix>_<id><secret><checksum>`
    let secret = whole[whole.len() - 49..whole.len() - 6].to_owned();
    SECRETS.lock().unwrap().extend([whole, secret]);
}

async fn lead_a_life(store: PostgresStore) {
    let hallpass = Hallpass::builder(store.clone()).build();
    let alice = Actor::owner("alice");
    let issued = hallpass.issue(&alice, NewToken::named("a token of the life")).await.unwrap();
    keep(&issued.token);
    hallpass.authenticate(issued.token.reveal().as_bytes()).await.unwrap();
    let again =
        hallpass.regenerate(&alice, issued.record.id, RegenerateOptions::default()).await.unwrap();
    keep(&again.token);
    hallpass.authenticate(again.token.reveal().as_bytes()).await.unwrap();
    assert!(hallpass.authenticate(issued.token.reveal().as_bytes()).await.is_err());
    hallpass.revoke(&alice, issued.record.id).await.unwrap();
    assert!(hallpass.authenticate(again.token.reveal().as_bytes()).await.is_err());
    store.close().await;
}
