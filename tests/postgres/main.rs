//! Tests of features that only PostgreSQL has: schema, permissions, query plans, locks, errors, and
//! the recovery of outcomes after a lost connection.

mod encrypted;
mod errors;
mod listening;
mod locks;
mod migrations;
mod outcome;
mod plans;
mod pooler;
mod retention;
mod roles;
mod secrets;

use std::time::Duration;

use hallpass_postgres::PostgresStore;
use hallpass_servers::Postgres;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection, Row as _};
use tokio::time::{Instant, sleep};

/// Creates a database on the shared server. Its tests must not change the server itself.
fn database() -> String {
    Postgres::shared().new_database().expect("a database")
}

async fn open(url: &str) -> PostgresStore {
    PostgresStore::connect(url).await.expect("the store opens")
}

/// Opens a plain connection, for statements that the store never runs.
async fn stranger(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().expect("a URL");
    options.connect().await.expect("a connection")
}

/// Runs all statements.
async fn run(connection: &mut PgConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.expect("the statements run");
}

/// Runs a query that returns one boolean, and returns the boolean.
async fn is_so(connection: &mut PgConnection, question: &'static str) -> bool {
    let row = sqlx::raw_sql(question).fetch_one(connection).await.expect("an answer");
    row.try_get(0).expect("a boolean")
}

/// Repeats a query until it returns `true`.
async fn until(connection: &mut PgConnection, question: &'static str) {
    let started = Instant::now();
    while !is_so(connection, question).await {
        assert!(started.elapsed() < Duration::from_secs(10), "timed out waiting for: {question}");
        sleep(Duration::from_millis(2)).await;
    }
}

/// Returns whether a session of this database waits for a lock.
const SOMEBODY_WAITS: &str = "SELECT count(*) > 0 FROM pg_stat_activity \
     WHERE datname = current_database() AND wait_event_type = 'Lock'";

/// Runs a statement and returns its output.
fn ask(url: &str, sql: &str) -> String {
    Postgres::shared().run_at(url, sql).expect("an answer")
}
