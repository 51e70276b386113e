//! What is PostgreSQL's own: its schema and its rights, its plans, its locks and its errors, and
//! what the store finds out when a connection is lost.

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

/// The URL of a new database on the server of all tests that leave it as it is.
fn database() -> String {
    Postgres::shared().new_database().expect("a database")
}

async fn open(url: &str) -> PostgresStore {
    PostgresStore::connect(url).await.expect("the store opens")
}

/// A connection that knows nothing of Hallpass, to do what the store never would.
async fn stranger(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().expect("a URL");
    options.connect().await.expect("a connection")
}

/// Runs statements, all of them.
async fn run(connection: &mut PgConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.expect("the statements run");
}

/// Whether it is so, by a statement that answers one boolean.
async fn is_so(connection: &mut PgConnection, question: &'static str) -> bool {
    let row = sqlx::raw_sql(question).fetch_one(connection).await.expect("an answer");
    row.try_get(0).expect("a boolean")
}

/// Asks until it is so.
async fn until(connection: &mut PgConnection, question: &'static str) {
    let started = Instant::now();
    while !is_so(connection, question).await {
        assert!(started.elapsed() < Duration::from_secs(10), "never so: {question}");
        sleep(Duration::from_millis(2)).await;
    }
}

/// Somebody in that database waits for a lock.
const SOMEBODY_WAITS: &str = "SELECT count(*) > 0 FROM pg_stat_activity \
     WHERE datname = current_database() AND wait_event_type = 'Lock'";

/// What the statement answers.
fn ask(url: &str, sql: &str) -> String {
    Postgres::shared().run_at(url, sql).expect("an answer")
}
