//! Tests with damaged rows and pages: the store returns errors, and no token is accepted.

use std::error::Error as _;
use std::fs;

use hallpass_core::store::{StoreError, TokenStore as _};
use hallpass_core::{Actor, AuthError, Hallpass, NewToken, Owner};
use hallpass_tests::tokens::{event, token};
use sqlx::{AssertSqlSafe, Connection as _};

use super::{open, place, run, stranger};

/// Returns the text of the error that has caused an error of the store.
fn cause(error: &StoreError) -> String {
    error.source().expect("a cause").to_string()
}

#[tokio::test]
async fn inconsistent_row_is_rejected() {
    let damages = [
        "UPDATE hallpass_tokens SET owner = ''",
        "UPDATE hallpass_tokens SET owner = char(7)",
        "UPDATE hallpass_tokens SET scopes = 'projects:read  jobs'",
        "UPDATE hallpass_tokens SET scopes = ' projects'",
        "UPDATE hallpass_tokens SET scopes = char(228)",
        "UPDATE hallpass_tokens SET name = CAST(x'ff' AS TEXT)",
        "UPDATE hallpass_tokens SET created_at = 9223372036854775807",
        "UPDATE hallpass_tokens SET expires_at = -9223372036854775808",
        "UPDATE hallpass_tokens SET revision = -1",
        "UPDATE hallpass_tokens SET metadata = '[]'",
        "UPDATE hallpass_tokens SET algorithm = 'md5'",
        "UPDATE hallpass_tokens SET algorithm = 'hmac-sha256-v1:'",
        "UPDATE hallpass_tokens SET digest = zeroblob(31)",
        "UPDATE hallpass_tokens SET digest = x''",
        "PRAGMA ignore_check_constraints = ON; UPDATE hallpass_tokens SET previous_until = 1",
        "UPDATE hallpass_tokens SET previous_algorithm = 'sha256-v1', previous_digest = x'00', previous_until = 1",
    ];
    for damage in damages {
        let (_directory, path) = place();
        let store = open(&path).await;
        let hallpass = Hallpass::builder(store.clone()).build();
        let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await.unwrap();
        let mut connection = stranger(&path).await;
        run(&mut connection, damage).await;
        connection.close().await.unwrap();

        let error = store.get(issued.record.id).await.unwrap_err();
        assert!(error.is_corrupt(), "{damage}: {error:?}");
        let id = issued.record.id.to_string();
        assert!(cause(&error).contains(&id), "the error must name the token: {error:?}");
        let presented = issued.token.reveal().as_bytes();
        let denied = hallpass.authenticate(presented).await.unwrap_err();
        assert!(matches!(denied, AuthError::Unavailable(_)), "503, not 401: {damage}: {denied:?}");
        // The token can still be deleted.
        let mut gone = stranger(&path).await;
        run(&mut gone, "UPDATE hallpass_tokens SET owner = 'alice'").await;
        let deleted = store.delete_many(None, &[issued.record.id], &event()).await.unwrap();
        assert_eq!(deleted.tokens.len(), 1, "{damage}");
    }
}

#[tokio::test]
async fn null_in_a_required_column_is_corrupt() {
    let columns = [
        "owner",
        "name",
        "description",
        "scopes",
        "metadata",
        "created_at",
        "revision",
        "algorithm",
        "digest",
    ];
    for column in columns {
        let (_directory, path) = place();
        let store = open(&path).await;
        let token = token("alice", "ci");
        store.insert(&token, None, &event()).await.unwrap();
        let mut connection = stranger(&path).await;
        run(
            &mut connection,
            "PRAGMA writable_schema = ON; \
             UPDATE sqlite_schema SET sql = replace(sql, ' NOT NULL', '') WHERE name = 'hallpass_tokens'; \
             PRAGMA writable_schema = RESET",
        )
        .await;
        let damage = AssertSqlSafe(format!("UPDATE hallpass_tokens SET {column} = NULL"));
        sqlx::raw_sql(damage).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let error = store.get(token.record.id).await.unwrap_err();
        assert!(error.is_corrupt(), "{column}: {error:?}");
    }
}

#[tokio::test]
async fn inconsistent_log_is_corrupt() {
    let damages = [
        "DELETE FROM hallpass_clock",
        "UPDATE hallpass_clock SET seq = -1",
        "PRAGMA ignore_check_constraints = ON; UPDATE hallpass_changes SET target = 'new'",
        "PRAGMA ignore_check_constraints = ON; UPDATE hallpass_changes SET token_id = NULL",
        "UPDATE hallpass_changes SET token_id = x'01'",
    ];
    for damage in damages {
        let (_directory, path) = place();
        let store = open(&path).await;
        let seq = store.insert(&token("alice", "ci"), None, &event()).await.unwrap();
        let mut place = store.changes(None, 0).await.unwrap().head;
        place.seq = seq;
        let mut connection = stranger(&path).await;
        run(&mut connection, damage).await;
        let error = store.changes(Some(place), 10).await.unwrap_err();
        assert!(error.is_corrupt(), "{damage}: {error:?}");
        let names_the_entry = cause(&error).contains(&format!("log entry {}", seq.get()));
        assert_eq!(names_the_entry, damage.contains("hallpass_changes"), "{error:?}");
    }
}

#[tokio::test]
async fn missing_clock_row_stops_checks_and_changes() {
    let (_directory, path) = place();
    let store = open(&path).await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    run(&mut stranger(&path).await, "DELETE FROM hallpass_clock").await;
    let alice = Owner::new("alice").unwrap();
    let errors: [StoreError; 4] = [
        store.get(token.record.id).await.unwrap_err(),
        store.delete(token.record.id, None, &event()).await.unwrap_err(),
        store.log_owner_change(&alice, &event()).await.unwrap_err(),
        store.ping().await.unwrap_err(),
    ];
    for error in errors {
        assert!(error.is_corrupt(), "{error:?}");
    }
    run(&mut stranger(&path).await, "INSERT INTO hallpass_clock VALUES (1, 1, 1)").await;
    assert!(
        store.get(token.record.id).await.unwrap().value.is_some(),
        "the failed delete has deleted the token"
    );
}

#[tokio::test]
async fn damaged_page_is_corrupt() {
    let (_directory, path) = place();
    let store = open(&path).await;
    let tokens: Vec<_> = (0..100).map(|_| token("alice", "ci")).collect();
    for token in &tokens {
        store.insert(token, None, &event()).await.unwrap();
    }
    store.close().await;
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'hallpass_schema'";
    let root: i64 = sqlx::query_scalar(root).fetch_one(&mut stranger(&path).await).await.unwrap();
    let mut bytes = fs::read(&path).unwrap();
    // The first page and the one with the schema version identify the file, so they stay intact.
    for (page, bytes) in (1..).zip(bytes.chunks_mut(4_096)) {
        if page != 1 && page != root {
            bytes.iter_mut().for_each(|byte| *byte ^= 0xA5);
        }
    }
    fs::write(&path, bytes).unwrap();

    let store = open(&path).await;
    for token in &tokens {
        let error = store.get(token.record.id).await.unwrap_err();
        assert!(error.is_corrupt(), "{error:?}");
    }
    let rejected = store.insert(&token("alice", "ci"), Some(50), &event()).await.unwrap_err();
    assert!(rejected.is_corrupt(), "{rejected:?}");
}

#[tokio::test]
async fn dropped_table_is_unavailable() {
    let (_directory, path) = place();
    let store = open(&path).await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    run(&mut stranger(&path).await, "DROP TABLE hallpass_tokens").await;
    assert!(store.get(token.record.id).await.unwrap_err().is_unavailable());
    assert!(store.insert(&token, None, &event()).await.unwrap_err().is_unavailable());
}
