//! Tests that are specific to SQLite: files that cannot be opened, several processes on one file,
//! and a store whose file is damaged, locked, full or replaced.

mod damage;
mod errors;
mod file;
mod opening;
mod processes;
mod retention;

use std::path::{Path, PathBuf};

use hallpass_core::store::ListQuery;
use hallpass_sqlite::SqliteStore;
use hallpass_tests::tokens::at;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};
use tempfile::TempDir;

/// Returns a temporary directory and the path of a database in it.
fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("tokens.db");
    (directory, path)
}

async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path).await.expect("the store opens")
}

/// Opens a plain connection, for statements that the store never runs.
async fn stranger(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    options.connect().await.expect("a connection")
}

/// Runs all statements.
async fn run(connection: &mut SqliteConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.expect("the statements run");
}

/// Selects everything on one page.
fn everything() -> ListQuery {
    ListQuery::everything(at(0), 100_000)
}
