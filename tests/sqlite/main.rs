//! What is SQLite's own: files that cannot be opened, several processes on one, and what becomes of a store
//! when its file does not do what it should.

mod damage;
mod file;
mod opening;
mod processes;
mod retention;
mod trouble;

use std::path::{Path, PathBuf};

use hallpass_core::store::ListQuery;
use hallpass_sqlite::SqliteStore;
use hallpass_tests::tokens::at;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};
use tempfile::TempDir;

/// A directory of its own, and the path of a database in it.
fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("tokens.db");
    (directory, path)
}

async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path).await.expect("the store opens")
}

/// A connection that knows nothing of Hallpass, to do what the store never would.
async fn stranger(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    options.connect().await.expect("a connection")
}

/// Runs statements, all of them.
async fn run(connection: &mut SqliteConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.expect("the statements run");
}

/// A list of everything on one page.
fn everything() -> ListQuery {
    ListQuery::everything(at(0), 100_000)
}
