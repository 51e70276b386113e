//! The schema: checks that a file belongs to Hallpass, and migrates it to this version.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection};
use tokio::time::{Instant, sleep};

use crate::connections::options;
use crate::open::ConnectError;

/// The migrations, in order. Each sets the version in `hallpass_schema` in its own transaction, and
/// the first one creates that table.
pub(crate) const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001_tokens.sql")];

/// The owner of a file: the token store alone, or the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tenancy {
    /// The file contains only tokens. A file of another application is rejected.
    Exclusive,
    /// The file is the host's database.
    Shared,
}

/// The time for which opening waits for other processes that open or change the same file.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// The state of a file before it is migrated.
#[derive(Debug)]
struct FileState {
    /// The version of the token store's tables, if there are any.
    version: Option<i64>,
    /// Set if the file has no tables, no application id and no user version.
    is_empty: bool,
    /// The number of pages, which is 0 for a file of zeros.
    pages: i64,
}

impl FileState {
    /// Reads the state of an open file.
    async fn read(connection: &mut SqliteConnection) -> Result<Self, sqlx::Error> {
        let row = sqlx::query(
            "SELECT (SELECT page_count FROM pragma_page_count), \
             (SELECT application_id FROM pragma_application_id) = 0 \
             AND (SELECT user_version FROM pragma_user_version) = 0 \
             AND NOT EXISTS (SELECT 1 FROM sqlite_schema), \
             EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'hallpass_schema')",
        )
        .fetch_one(&mut *connection)
        .await?;
        let mut state = Self { version: None, is_empty: row.try_get(1)?, pages: row.try_get(0)? };
        if row.try_get(2)? {
            let version = sqlx::query("SELECT version FROM hallpass_schema");
            state.version = Some(version.fetch_one(connection).await?.try_get(0)?);
        }
        Ok(state)
    }

    /// Returns the migrations that the file lacks. A file without Hallpass's tables lacks all of
    /// them.
    fn missing(
        &self,
        path: &Path,
        tenancy: Tenancy,
    ) -> Result<&'static [&'static str], ConnectError> {
        let path = path.to_owned();
        match self.version {
            Some(version @ 1..) => {
                let known = MIGRATIONS.len() as i64;
                let applied = usize::try_from(version).unwrap_or(usize::MAX);
                let newer = ConnectError::Newer { path, found: version, known };
                MIGRATIONS.get(applied..).ok_or(newer)
            }
            None if self.is_empty || tenancy == Tenancy::Shared => Ok(MIGRATIONS),
            _ => Err(ConnectError::Foreign { path }),
        }
    }
}

/// Checks that the file may be opened with this tenancy and version, without changing it.
pub(crate) async fn inspect(path: &Path, tenancy: Tenancy) -> Result<(), ConnectError> {
    let locked = options(path).read_only(true);
    // Without a write-ahead log, the file is complete. It can then be read without locks, and
    // without creating other files.
    let immutable = locked.clone().immutable(true);
    let is_filled = path.metadata().is_ok_and(|metadata| metadata.len() > 0);
    let mut result = read(if has_log(path) { &locked } else { &immutable }, path).await;
    if result.as_ref().is_err_and(|error| !matches!(error, ConnectError::NotADatabase { .. })) {
        // Another process may be writing the file. A reader with a lock sees a consistent state.
        result = read(&locked, path).await;
    }
    let state = result?;
    // SQLite treats a file of zeros as an empty database, but it may be another application's file
    // after a crash.
    if is_filled && state.pages == 0 {
        return Err(ConnectError::NotADatabase { path: path.to_owned() });
    }
    state.missing(path, tenancy).map(drop)
}

/// Returns whether there is a write-ahead log. If the path is a symbolic link, SQLite puts the log
/// into the directory of its target.
fn has_log(path: &Path) -> bool {
    let mut log = path.canonicalize().unwrap_or_else(|_| path.to_owned()).into_os_string();
    log.push("-wal");
    Path::new(&log).exists()
}

/// Opens a file, reads its state, and closes it.
async fn read(options: &SqliteConnectOptions, path: &Path) -> Result<FileState, ConnectError> {
    let state = async {
        let mut connection = options.connect().await?;
        let state = FileState::read(&mut connection).await;
        connection.close().await?;
        state
    };
    state.await.map_err(|error| ConnectError::of_driver(path, error))
}

/// Migrates the file to this version's schema and switches it to WAL mode. Several processes may do
/// this at the same time.
pub(crate) async fn prepare(
    writer: &SqlitePool,
    path: &Path,
    tenancy: Tenancy,
) -> Result<(), ConnectError> {
    let give_up = Instant::now() + OPEN_TIMEOUT;
    loop {
        match try_prepare(writer, path, tenancy).await {
            // Changing to WAL mode needs exclusive access, and SQLite does not wait for it.
            Err(ConnectError::Locked { .. }) if Instant::now() < give_up => {
                sleep(Duration::from_millis(20)).await;
            }
            result => return result,
        }
    }
}

/// Tries once to migrate the file.
async fn try_prepare(
    writer: &SqlitePool,
    path: &Path,
    tenancy: Tenancy,
) -> Result<(), ConnectError> {
    let convert = |error| ConnectError::of_driver(path, error);
    let mut connection = writer.acquire().await.map_err(convert)?;
    // This takes the write lock even if no migration is missing, because it fails if the file is
    // read-only.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(convert)?;
    let missing =
        FileState::read(&mut transaction).await.map_err(convert)?.missing(path, tenancy)?;
    for migration in missing {
        sqlx::raw_sql(*migration).execute(&mut *transaction).await.map_err(convert)?;
    }
    transaction.commit().await.map_err(convert)?;
    let mode = sqlx::query("PRAGMA journal_mode = WAL").fetch_one(&mut *connection).await;
    let mode: String = mode.and_then(|row| row.try_get(0)).map_err(convert)?;
    if mode != "wal" {
        return Err(ConnectError::NoWriteAheadLog { path: path.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn migrations_set_consecutive_versions() {
        let mut connection = SqliteConnectOptions::new().connect().await.unwrap();
        for (version, migration) in (1..).zip(MIGRATIONS) {
            sqlx::raw_sql(*migration).execute(&mut connection).await.unwrap();
            assert_eq!(FileState::read(&mut connection).await.unwrap().version, Some(version));
        }
    }

    #[test]
    fn only_empty_files_and_known_schemas_are_accepted() {
        let missing = |version, is_empty, tenancy| {
            FileState { version, is_empty, pages: 2 }.missing(Path::new("x.db"), tenancy)
        };
        let known = MIGRATIONS.len() as i64;
        for tenancy in [Tenancy::Exclusive, Tenancy::Shared] {
            assert_eq!(missing(None, true, tenancy).unwrap().len(), MIGRATIONS.len());
            assert!(missing(Some(known), false, tenancy).unwrap().is_empty());
            for version in [0, -1] {
                let rejected = missing(Some(version), false, tenancy);
                assert!(matches!(rejected, Err(ConnectError::Foreign { .. })), "{rejected:?}");
            }
            for version in [known + 1, i64::MAX] {
                let rejected = missing(Some(version), false, tenancy);
                assert!(matches!(rejected, Err(ConnectError::Newer { .. })), "{rejected:?}");
            }
        }
        let foreign = missing(None, false, Tenancy::Exclusive);
        assert!(matches!(foreign, Err(ConnectError::Foreign { .. })), "{foreign:?}");
        assert_eq!(missing(None, false, Tenancy::Shared).unwrap().len(), MIGRATIONS.len());
    }
}
