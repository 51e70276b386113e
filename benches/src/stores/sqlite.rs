//! A SQLite file, and a bare table in another file.

use std::fs;
use std::path::Path;

use anyhow::Result;
use hallpass_core::TokenId;
use hallpass_core::jiff::Timestamp;
use hallpass_core::store::StoredToken;
use hallpass_sqlite::SqliteStore;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, Row as _, SqliteConnection, ValueRef as _};

use super::compared::{Bare, ComparedBackend};
use super::rows::json;
use crate::backend::SqliteBackend;

macro_rules! insert {
    ($table:literal) => {
        concat!(
            "INSERT INTO ", $table, " (id, owner, name, description, scopes, created_at, expires_at, \
             last_used_at, revoked_at, revision, algorithm, digest) \
             SELECT unhex(value ->> 'id'), value ->> 'owner', value ->> 'name', value ->> 'description', \
             value ->> 'scopes', value ->> 'created_at', value ->> 'expires_at', value ->> 'last_used_at', \
             value ->> 'revoked_at', value ->> 'revision', value ->> 'algorithm', unhex(value ->> 'digest') \
             FROM json_each(?)"
        )
    };
}

const INSERT: &str = insert!("hallpass_tokens");

const INSERT_BARE: &str = insert!("bare");

const CREATE_BARE: &str = "CREATE TABLE bare (id BLOB NOT NULL PRIMARY KEY, owner TEXT NOT NULL, \
     name TEXT NOT NULL, description TEXT NOT NULL, scopes TEXT NOT NULL, created_at INTEGER NOT NULL, \
     expires_at INTEGER, last_used_at INTEGER, revoked_at INTEGER, regenerated_at INTEGER, \
     revision INTEGER NOT NULL, algorithm TEXT NOT NULL, digest BLOB NOT NULL, \
     previous_algorithm TEXT, previous_digest BLOB, previous_until INTEGER) STRICT, WITHOUT ROWID";

const FIND: &str = "SELECT id, owner, name, description, scopes, created_at, expires_at, last_used_at, \
     revoked_at, regenerated_at, revision, algorithm, digest, previous_algorithm, previous_digest, \
     previous_until FROM bare WHERE id = ?";

const LOG_SIZE: &str =
    "SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE name LIKE 'hallpass_changes%'";

impl ComparedBackend for SqliteBackend {
    type Bare = BareFile;

    async fn fill(&self, _: &SqliteStore, tokens: &[StoredToken]) -> Result<()> {
        fill(&self.file("tokens.db"), INSERT, tokens).await
    }

    async fn bytes(&self) -> Result<u64> {
        size(&self.file("tokens.db")).await
    }

    async fn log_bytes(&self) -> Result<u64> {
        let mut connection =
            SqliteConnection::connect_with(&options(&self.file("tokens.db"))).await?;
        let size = sqlx::query_scalar(LOG_SIZE).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(i64::cast_unsigned(size))
    }

    async fn bare(&self) -> Result<BareFile> {
        let path = self.file("bare.db");
        let options = options(&path).create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .connect_with(options.clone())
            .await?;
        sqlx::query(CREATE_BARE).execute(&writer).await?;
        // These are the settings of the store's own readers.
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .test_before_acquire(false)
            .connect_with(options.pragma("query_only", "ON"))
            .await?;
        Ok(BareFile { path, writer, readers })
    }
}

/// A file with a table that has only a primary key.
pub(super) struct BareFile {
    path: std::path::PathBuf,
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Bare for BareFile {
    async fn fill(&self, tokens: &[StoredToken]) -> Result<()> {
        fill(&self.path, INSERT_BARE, tokens).await
    }

    async fn bytes(&self) -> Result<u64> {
        size(&self.path).await
    }

    async fn find(&self, id: TokenId) -> Result<bool> {
        let query = sqlx::query(FIND).bind(id.as_uuid().as_bytes().to_vec());
        let Some(row) = query.fetch_optional(&self.readers).await? else { return Ok(false) };
        for column in 0..row.len() {
            std::hint::black_box(row.try_get_raw(column)?.is_null());
        }
        std::hint::black_box(row.try_get::<Vec<u8>, _>("digest")?);
        Ok(true)
    }

    async fn note_use(&self, id: TokenId) -> Result<()> {
        sqlx::query("UPDATE bare SET last_used_at = ? WHERE id = ?")
            .bind(Timestamp::now().as_millisecond())
            .bind(id.as_uuid().as_bytes().to_vec())
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).synchronous(SqliteSynchronous::Full)
}

/// Inserts all tokens in one transaction.
async fn fill(path: &Path, insert: &'static str, tokens: &[StoredToken]) -> Result<()> {
    let mut connection = SqliteConnection::connect_with(&options(path)).await?;
    sqlx::query(insert).bind(json(tokens)).execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// Returns the size of the file after a checkpoint of the write-ahead log.
async fn size(path: &Path) -> Result<u64> {
    let mut connection = SqliteConnection::connect_with(&options(path)).await?;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
    connection.close().await?;
    Ok(fs::metadata(path)?.len())
}
