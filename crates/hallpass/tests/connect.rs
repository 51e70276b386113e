//! Tests of `hallpass::connect`: the URL chooses the store, and no error shows a password.

use hallpass::stores::sqlite::{self, sqlx};
use hallpass::{Actor, ConnectError, Hallpass, NewToken};
use hallpass_servers::{Postgres, Redis};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

async fn open(url: &str) -> Hallpass {
    hallpass::connect(url).await.unwrap().build()
}

async fn error(url: &str) -> ConnectError {
    hallpass::connect(url).await.map(|_| ()).unwrap_err()
}

/// Issues a token through one handle, and returns whether another one on the same URL accepts it.
async fn handles_share_tokens(url: &str) -> bool {
    let (one, other) = (open(url).await, open(url).await);
    let issued = one.issue(&Actor::owner("alice"), NewToken::named("ci")).await.unwrap();
    other.authenticate(issued.token.reveal().as_bytes()).await.is_ok()
}

#[tokio::test]
async fn url_chooses_the_store() {
    let postgres = Postgres::shared().new_database().unwrap();
    let with_long_scheme = postgres.replacen("postgres:", "postgresql:", 1);
    let redis = Redis::start().unwrap();
    for url in [&*postgres, &*with_long_scheme, redis.url()] {
        assert!(handles_share_tokens(url).await, "{url}");
    }
    assert!(!handles_share_tokens("memory:").await);
}

#[tokio::test]
async fn sqlite_store_shares_the_database_of_the_service() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("CREATE TABLE users (name TEXT)").execute(&pool).await.unwrap();
    for form in ["sqlite:", "sqlite://"] {
        let url = format!("{form}{}?mode=rwc", path.display());
        assert!(handles_share_tokens(&url).await, "{url}");
    }
    let tokens = sqlx::query("SELECT id FROM hallpass_tokens").fetch_all(&pool).await.unwrap();
    assert_eq!(tokens.len(), 2);
}

#[tokio::test]
async fn url_of_no_store_is_rejected() {
    for url in ["", "app.db", "mysql://app:secret@db/app", "secret", "memory:secret"] {
        let error = error(url).await;
        assert!(matches!(error, ConnectError::Url), "{url}: {error}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("secret"), "{shown}");
        assert!(shown.contains("`redis://HOST:PORT`, `memory:`"), "{shown}");
    }
}

#[tokio::test]
async fn error_of_a_store_names_the_database_and_no_password() {
    let directory = tempfile::tempdir().unwrap();
    let missing = format!("sqlite:{}", directory.path().join("no/app.db").display());
    for (url, named) in [
        (missing.as_str(), "no does not exist"),
        ("postgres://app:secret@127.0.0.1:1/app", "127.0.0.1:1"),
        ("redis://app:secret@127.0.0.1:1", "127.0.0.1:1"),
    ] {
        let error = error(url).await;
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(named) && !shown.contains("secret"), "{shown}");
    }
}

#[tokio::test]
async fn sqlite_url_that_the_store_cannot_honour_is_rejected() {
    for url in ["sqlite::memory:", "sqlite://:memory:", "sqlite:app.db?mode=memory"] {
        let error = error(url).await;
        assert!(matches!(error, ConnectError::Sqlite(sqlite::ConnectError::InMemory)), "{error}");
    }
    for url in ["sqlite:", "sqlite://", "sqlite://?mode=rwc"] {
        let error = error(url).await;
        assert!(matches!(error, ConnectError::Sqlite(sqlite::ConnectError::Address)), "{error}");
    }
    for (parameters, rejected) in [
        ("mode=ro", "mode"),
        ("mode=rwc&vfs=unix-none", "vfs"),
        ("foreign_keys=true", "foreign_keys"),
    ] {
        let error = error(&format!("sqlite:app.db?{parameters}")).await;
        let ConnectError::Sqlite(sqlite::ConnectError::Parameter { name, .. }) = error else {
            panic!("{error}")
        };
        assert_eq!(name, rejected);
    }
    assert!(!std::path::Path::new("app.db").exists());
}
