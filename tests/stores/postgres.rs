//! On one server for all cases, each with a database of its own.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use hallpass_postgres::PostgresStore;
use hallpass_servers::Postgres;
use hallpass_testkit::conformance::StoreUnderTest;

fn server() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(|| Postgres::start().expect("a server"))
}

/// A database, and in it the tables that each handle opens for itself.
struct Database {
    url: String,
}

/// The databases that nobody uses any more. To make one takes the server half a second, to empty one nearly nothing.
static FREE: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// As if it had just been made: nobody is there, nothing is in it, and its history is another.
const EMPTY: &str = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
     WHERE datname = current_database() AND pid <> pg_backend_pid(); \
     TRUNCATE hallpass.tokens, hallpass.changes; \
     UPDATE hallpass.clock SET seq = 0, nonce = (random() * 1e15)::bigint";

impl StoreUnderTest for Database {
    type Store = PostgresStore;

    async fn fresh() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(url) = free else {
            let name = format!("place_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
            return Self { url: server().create_database(&name).expect("a database") };
        };
        server().run_at(&url, EMPTY).expect("an empty database");
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
