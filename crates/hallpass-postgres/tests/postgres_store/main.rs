//! Tests of the store's safety steps on real servers. `tests/guards/postgres.toml` lists the line
//! of each step; without that line, its test fails.

mod changes;
mod locks;
mod outcomes;
mod reads;
mod uses;

use std::time::Duration;

use hallpass_core::Event;
use hallpass_core::store::ChangeTarget;
use hallpass_postgres::PostgresStore;
use hallpass_servers::{Postgres, Proxy};
use hallpass_testkit::conformance::samples::{self, owner};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection, Row as _};

/// Returns the URL of a new database on the server that tests share.
fn database() -> String {
    Postgres::shared().new_database().expect("a database")
}

async fn open(url: &str) -> PostgresStore {
    PostgresStore::connect(url).await.expect("the store opens")
}

/// Opens a store that reaches the database through a proxy.
async fn through_proxy(server: &Postgres, url: &str) -> (Proxy, PostgresStore) {
    let proxy = Proxy::to(server.address()).expect("a proxy");
    let store = open(&proxy.url(url)).await;
    (proxy, store)
}

/// Returns an event about the tokens of this owner.
fn event_of(name: &str) -> Event {
    samples::about(&ChangeTarget::Owner(owner(name)), &samples::event())
}

/// A plain connection, for statements that the store never runs.
struct Stranger(PgConnection);

impl Stranger {
    async fn connect(url: &str) -> Self {
        let options: PgConnectOptions = url.parse().expect("a URL");
        Self(options.connect().await.expect("a connection"))
    }

    async fn run(&mut self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&mut self.0).await.expect("the statements run");
    }

    /// Returns the one value that the statement selects.
    async fn count(&mut self, sql: &'static str) -> i64 {
        let row = sqlx::raw_sql(sql).fetch_one(&mut self.0).await.expect("a row");
        row.try_get(0).expect("a number")
    }

    /// Waits until the condition is true.
    async fn until(&mut self, condition: &str) {
        let asking = async {
            loop {
                let sql = AssertSqlSafe(format!("SELECT {condition}"));
                let row = sqlx::raw_sql(sql).fetch_one(&mut self.0).await.expect("a row");
                if row.try_get(0).expect("a boolean") {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let result = tokio::time::timeout(Duration::from_secs(10), asking).await;
        result.unwrap_or_else(|_| panic!("timed out waiting for: {condition}"));
    }

    /// Waits until that many sessions of this database wait for a lock.
    async fn until_waiting(&mut self, sessions: u32) {
        self.until(&format!(
            "count(*) >= {sessions} FROM pg_stat_activity \
             WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ))
        .await;
    }

    /// Waits until all other sessions of this database are idle.
    async fn until_idle(&mut self) {
        self.until(
            "count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() \
             AND pid <> pg_backend_pid() AND state <> 'idle'",
        )
        .await;
    }
}
