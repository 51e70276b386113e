//! On one server for all cases, each with a database of its own.

use std::sync::{Mutex, PoisonError};

use hallpass_postgres::PostgresStore;
use hallpass_servers::Postgres;
use hallpass_testkit::conformance::StoreUnderTest;

/// A database, and in it the tables that each handle opens for itself.
struct Database {
    url: String,
}

/// The databases that nobody uses any more. To make one takes the server half a second, to empty
/// one nearly nothing.
static FREE: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// As if it had just been made: nobody is there, nothing is in it, and its history is another.
const EMPTY: &str = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
     WHERE datname = current_database() AND pid <> pg_backend_pid(); \
     TRUNCATE hallpass.tokens, hallpass.changes; \
     UPDATE hallpass.clock SET seq = 0, nonce = (random() * 1e15)::bigint";

impl StoreUnderTest for Database {
    type Store = PostgresStore;

    async fn fresh() -> Self {
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(url) = free else {
            return Self { url: Postgres::shared().new_database().expect("a database") };
        };
        Postgres::shared().run_at(&url, EMPTY).expect("an empty database");
        Self { url }
    }

    async fn node(&self) -> PostgresStore {
        PostgresStore::connect(&self.url).await.expect("a store")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let url = std::mem::take(&mut self.url);
        FREE.lock().unwrap_or_else(PoisonError::into_inner).push(url);
    }
}

hallpass_testkit::store_conformance!(Database);
