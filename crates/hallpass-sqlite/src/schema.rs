//! The schema: checks that a file belongs to Hallpass, and migrates it to this version.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection};
use tokio::time::{Instant, sleep};

use crate::connections::options;
use crate::open::ConnectError;

/// The application id in the header of Hallpass's files.
const APPLICATION_ID: i64 = 0x4850_6173;

/// The migrations. The first one creates [`FIRST_VERSION`] in an empty file.
///
/// Each migration sets `user_version` in its own transaction. There is no table of migrations,
/// because another library might take such a table for its own.
pub(crate) const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001_tokens.sql")];

/// The first published version of the schema. Development versions wrote version 1.
const FIRST_VERSION: i64 = 2;

/// The time for which opening waits for other processes that open or change the same file.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// The facts that identify the schema of a file.
#[derive(Debug)]
struct Found {
    application_id: i64,
    version: i64,
    /// The number of tables, indexes and other objects.
    objects: i64,
    pages: i64,
}

impl Found {
    /// Reads the facts from an open file.
    async fn read(connection: &mut SqliteConnection) -> Result<Self, sqlx::Error> {
        let row = sqlx::query(
            "SELECT (SELECT application_id FROM pragma_application_id), \
             (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema), \
             (SELECT page_count FROM pragma_page_count)",
        )
        .fetch_one(connection)
        .await?;
        Ok(Self {
            application_id: row.try_get(0)?,
            version: row.try_get(1)?,
            objects: row.try_get(2)?,
            pages: row.try_get(3)?,
        })
    }

    /// Returns the migrations that the file lacks. An empty file lacks all of them.
    fn missing(&self, path: &Path) -> Result<&'static [&'static str], ConnectError> {
        let path = path.to_owned();
        match (self.application_id, self.version, self.objects) {
            (0, 0, 0) => Ok(MIGRATIONS),
            (APPLICATION_ID, FIRST_VERSION.., _) => {
                let done = usize::try_from(self.version - FIRST_VERSION + 1).unwrap_or(usize::MAX);
                let known = FIRST_VERSION + MIGRATIONS.len() as i64 - 1;
                let newer = ConnectError::Newer { path, found: self.version, known };
                MIGRATIONS.get(done..).ok_or(newer)
            }
            (APPLICATION_ID, found @ 1.., _) => Err(ConnectError::Outdated { path, found }),
            _ => Err(ConnectError::Foreign { path }),
        }
    }
}

/// Checks that a file is empty or belongs to a known version of Hallpass, without changing it.
pub(crate) async fn inspect(path: &Path) -> Result<(), ConnectError> {
    let locked = options(path).read_only(true);
    // Without a write-ahead log, the file is complete. It can then be read without locks, and
    // without creating files beside it.
    let immutable = locked.clone().immutable(true);
    let is_filled = path.metadata().is_ok_and(|metadata| metadata.len() > 0);
    let mut result = read(if has_log(path) { &locked } else { &immutable }, path).await;
    if result.as_ref().is_err_and(|error| !matches!(error, ConnectError::NotADatabase { .. })) {
        // Another process may be writing the file. A reader with a lock sees a consistent state.
        result = read(&locked, path).await;
    }
    let found = result?;
    // SQLite takes a file of zeros for an empty database, but it may be another file after a crash.
    if is_filled && found.pages == 0 {
        return Err(ConnectError::NotADatabase { path: path.to_owned() });
    }
    found.missing(path).map(drop)
}

/// Returns whether there is a write-ahead log. SQLite puts it beside the target of a symbolic link.
fn has_log(path: &Path) -> bool {
    let mut log = path.canonicalize().unwrap_or_else(|_| path.to_owned()).into_os_string();
    log.push("-wal");
    Path::new(&log).exists()
}

/// Opens a file, reads the facts about its schema, and closes it.
async fn read(options: &SqliteConnectOptions, path: &Path) -> Result<Found, ConnectError> {
    let found = async {
        let mut connection = options.connect().await?;
        let found = Found::read(&mut connection).await;
        connection.close().await?;
        found
    };
    found.await.map_err(|error| ConnectError::of_driver(path, error))
}

/// Migrates the file to this version's schema and switches it to WAL mode. Several processes may do
/// this at the same time.
pub(crate) async fn prepare(writer: &SqlitePool, path: &Path) -> Result<(), ConnectError> {
    let give_up = Instant::now() + OPEN_TIMEOUT;
    loop {
        match try_prepare(writer, path).await {
            // Changing to WAL mode needs exclusive access, and SQLite does not wait for it.
            Err(ConnectError::Locked { .. }) if Instant::now() < give_up => {
                sleep(Duration::from_millis(20)).await;
            }
            done => return done,
        }
    }
}

/// Tries once to migrate the file.
async fn try_prepare(writer: &SqlitePool, path: &Path) -> Result<(), ConnectError> {
    let convert = |error| ConnectError::of_driver(path, error);
    let mut connection = writer.acquire().await.map_err(convert)?;
    // This takes the write lock even if no migration is missing, because it fails if the file is
    // read-only.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(convert)?;
    let missing = Found::read(&mut transaction).await.map_err(convert)?.missing(path)?;
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
        for (version, migration) in (FIRST_VERSION..).zip(MIGRATIONS) {
            sqlx::raw_sql(*migration).execute(&mut connection).await.unwrap();
            let found = Found::read(&mut connection).await.unwrap();
            assert_eq!((found.application_id, found.version), (APPLICATION_ID, version));
        }
    }

    #[test]
    fn only_empty_files_and_known_schemas_are_accepted() {
        let missing = |application_id, version, objects| {
            Found { application_id, version, objects, pages: 2 }.missing(Path::new("x.db"))
        };
        assert_eq!(missing(0, 0, 0).unwrap().len(), MIGRATIONS.len());
        let known = FIRST_VERSION + MIGRATIONS.len() as i64 - 1;
        assert!(missing(APPLICATION_ID, known, 9).unwrap().is_empty());
        let outdated = missing(APPLICATION_ID, 1, 9);
        assert!(matches!(outdated, Err(ConnectError::Outdated { found: 1, .. })), "{outdated:?}");
        for (application_id, version, objects) in [
            (0, 0, 1),
            (0, 1, 0),
            (7, 0, 0),
            (7, 1, 3),
            (APPLICATION_ID, 0, 9),
            (APPLICATION_ID, -1, 9),
        ] {
            let refused = missing(application_id, version, objects);
            assert!(matches!(refused, Err(ConnectError::Foreign { .. })), "{refused:?}");
        }
        for version in [known + 1, i64::MAX] {
            let refused = missing(APPLICATION_ID, version, 9);
            assert!(matches!(refused, Err(ConnectError::Newer { .. })), "{refused:?}");
        }
    }
}
