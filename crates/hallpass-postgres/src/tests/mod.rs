//! Each guard: what happens on a real server without it, and that it does not happen with it.

mod changes;
mod failover;
mod locks;
mod lookups;
mod outcomes;
mod uses;

use std::time::Duration;

use hallpass_servers::{Postgres, Proxy};
use hallpass_testkit::conformance::samples::{at, edited, event, owner, token};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection, Row as _};

use crate::guards::{Guard, Guards};
use crate::{PostgresSettings, PostgresStore};

/// The URL of a new database on the server of all tests that leave it as it is.
fn database() -> String {
    Postgres::shared().new_database().expect("a database")
}

async fn open(url: &str, guards: Guards) -> PostgresStore {
    let settings = PostgresSettings { guards, ..PostgresSettings::default() };
    settings.connect(url).await.expect("the store opens")
}

/// A store that reaches that database by a network of the test's.
async fn by_way_of(server: &Postgres, url: &str, guards: Guards) -> (Proxy, PostgresStore) {
    let network = Proxy::to(server.address()).expect("a network");
    let store = open(&network.url(url), guards).await;
    (network, store)
}

/// Somebody who knows nothing of Hallpass, and does what it never would.
struct Stranger(PgConnection);

impl Stranger {
    async fn at(url: &str) -> Self {
        let options: PgConnectOptions = url.parse().expect("a URL");
        Self(options.connect().await.expect("a connection"))
    }

    async fn run(&mut self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&mut self.0).await.expect("the statements run");
    }

    /// Asks until it is so.
    async fn until(&mut self, question: &str) {
        let asking = async {
            loop {
                let sql = AssertSqlSafe(format!("SELECT {question}"));
                let row = sqlx::raw_sql(sql).fetch_one(&mut self.0).await.expect("an answer");
                if row.try_get(0).expect("a boolean") {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let asked = tokio::time::timeout(Duration::from_secs(10), asking).await;
        asked.unwrap_or_else(|_| panic!("never so: {question}"));
    }

    /// Until so many others in this database wait for a lock.
    async fn until_they_wait(&mut self, count: u32) {
        self.until(&format!(
            "count(*) >= {count} FROM pg_stat_activity \
             WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ))
        .await;
    }

    /// Until the server has nothing to do for others in this database.
    async fn until_all_is_done(&mut self) {
        self.until(
            "count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() \
             AND pid <> pg_backend_pid() AND state <> 'idle'",
        )
        .await;
    }
}
