//! What a file must be to be opened, and how an empty or older one becomes what this version works on.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection};
use tokio::time::{Instant, sleep};

use crate::connections::options;
use crate::open::ConnectError;

/// What marks a file as Hallpass's, in the place that SQLite has for such a mark.
const APPLICATION_ID: i64 = 0x4850_6173;

/// From each version of the schema to the next. Each sets `user_version` itself, in its own transaction;
/// there is no table of migrations that another library might take for its own.
pub(crate) const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001_tokens.sql")];

/// How long opening waits for others who open or change the same file.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a file says of itself.
#[derive(Debug)]
struct Found {
    application_id: i64,
    version: i64,
    /// How many tables, indexes and the like there are.
    objects: i64,
    pages: i64,
}

impl Found {
    async fn look(connection: &mut SqliteConnection) -> Result<Self, sqlx::Error> {
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

    /// The migrations that the file lacks; all of them if it is empty.
    fn missing(&self, path: &Path) -> Result<&'static [&'static str], ConnectError> {
        let path = path.to_owned();
        match (self.application_id, self.version, self.objects) {
            (0, 0, 0) => Ok(MIGRATIONS),
            (APPLICATION_ID, 1.., _) => {
                let done = usize::try_from(self.version).unwrap_or(usize::MAX);
                MIGRATIONS.get(done..).ok_or(ConnectError::Newer {
                    path,
                    found: self.version,
                    known: MIGRATIONS.len() as i64,
                })
            }
            _ => Err(ConnectError::Foreign { path }),
        }
    }
}

/// Refuses what is not Hallpass's, and what a newer version wrote, and leaves it as it is.
pub(crate) async fn inspect(path: &Path) -> Result<(), ConnectError> {
    let locked = options(path).read_only(true);
    // Without a log the file is all there is, and is read without locks and without files beside it.
    let as_it_lies = locked.clone().immutable(true);
    let is_filled = path.metadata().is_ok_and(|metadata| metadata.len() > 0);
    let mut looked = read(if has_log(path) { &locked } else { &as_it_lies }, path).await;
    if looked.as_ref().is_err_and(|error| !matches!(error, ConnectError::NotADatabase { .. })) {
        // Or is somebody just about to fill it? Whoever looks with a lock sees all or nothing of that.
        looked = read(&locked, path).await;
    }
    let found = looked?;
    // SQLite takes a file of zeros for an empty database; what it was before a crash, nobody knows.
    if is_filled && found.pages == 0 {
        return Err(ConnectError::NotADatabase { path: path.to_owned() });
    }
    found.missing(path).map(drop)
}

/// Whether a write-ahead log lies beside the file. SQLite puts it beside what a symbolic link leads to.
fn has_log(path: &Path) -> bool {
    let mut log = path.canonicalize().unwrap_or_else(|_| path.to_owned()).into_os_string();
    log.push("-wal");
    Path::new(&log).exists()
}

async fn read(options: &SqliteConnectOptions, path: &Path) -> Result<Found, ConnectError> {
    let found = async {
        let mut connection = options.connect().await?;
        let found = Found::look(&mut connection).await;
        connection.close().await?;
        found
    };
    found.await.map_err(|error| ConnectError::of_driver(path, error))
}

/// Brings the file to this version's schema and into WAL mode. Several processes may do so at once.
pub(crate) async fn prepare(writer: &SqlitePool, path: &Path) -> Result<(), ConnectError> {
    let give_up = Instant::now() + PATIENCE;
    loop {
        match try_prepare(writer, path).await {
            // To change into WAL mode needs a moment without anybody else, and SQLite does not wait for it.
            Err(ConnectError::Locked { .. }) if Instant::now() < give_up => {
                sleep(Duration::from_millis(20)).await;
            }
            done => return done,
        }
    }
}

async fn try_prepare(writer: &SqlitePool, path: &Path) -> Result<(), ConnectError> {
    let trouble = |error| ConnectError::of_driver(path, error);
    let mut connection = writer.acquire().await.map_err(trouble)?;
    // The lock is taken even if nothing is missing: that tells a file that cannot be written.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(trouble)?;
    let missing = Found::look(&mut transaction).await.map_err(trouble)?.missing(path)?;
    for migration in missing {
        sqlx::raw_sql(*migration).execute(&mut *transaction).await.map_err(trouble)?;
    }
    transaction.commit().await.map_err(trouble)?;
    let mode = sqlx::query("PRAGMA journal_mode = WAL").fetch_one(&mut *connection).await;
    let mode: String = mode.and_then(|row| row.try_get(0)).map_err(trouble)?;
    if mode != "wal" {
        return Err(ConnectError::NoWriteAheadLog { path: path.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_migrations_lead_to_the_version_that_is_their_number() {
        let mut connection = SqliteConnectOptions::new().connect().await.unwrap();
        for (done, migration) in (1..).zip(MIGRATIONS) {
            sqlx::raw_sql(*migration).execute(&mut connection).await.unwrap();
            let found = Found::look(&mut connection).await.unwrap();
            assert_eq!((found.application_id, found.version), (APPLICATION_ID, done));
        }
    }

    #[test]
    fn only_an_empty_file_and_one_of_ours_are_usable() {
        let missing = |application_id, version, objects| {
            Found { application_id, version, objects, pages: 2 }.missing(Path::new("x.db"))
        };
        assert_eq!(missing(0, 0, 0).unwrap().len(), MIGRATIONS.len());
        assert!(missing(APPLICATION_ID, MIGRATIONS.len() as i64, 9).unwrap().is_empty());
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
        for version in [MIGRATIONS.len() as i64 + 1, i64::MAX] {
            let refused = missing(APPLICATION_ID, version, 9);
            assert!(matches!(refused, Err(ConnectError::Newer { .. })), "{refused:?}");
        }
    }
}
