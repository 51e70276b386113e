//! Runs the suite on one server, with a database for each case.

use std::sync::{Mutex, PoisonError};

use hallpass_postgres::PostgresStore;
use hallpass_servers::Postgres;
use hallpass_testkit::conformance::StoreUnderTest;

/// A database that each handle opens.
struct Database {
    url: String,
}

/// Databases that are free for reuse. Creating a database takes the server half a second, and
/// emptying one takes nearly no time.
static FREE: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Resets a database to the state of a new one: it closes all other connections, deletes all rows
/// and starts a new history.
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
