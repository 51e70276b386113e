use std::error::Error as StdError;
use std::path::{Path, PathBuf};

use crate::error_class::{ErrorClass, error_class};

/// The store could not be opened. The message names the path and says what to do. The file is
/// unchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The text is not the address of a SQLite store.
    #[error("the address of a SQLite store is `sqlite:` and a path, such as `sqlite:tokens.db`")]
    Address,
    /// The pool is of an in-memory database, which only its own connections can see.
    #[error("an in-memory database cannot be shared: give the token store a file")]
    InMemory,
    /// The directory that the file is to be in does not exist.
    #[error("there is no directory {}: create it, or give another path", .directory.display())]
    #[non_exhaustive]
    NoDirectory {
        /// The missing directory.
        directory: PathBuf,
    },
    /// The path does not lead to a regular file.
    #[error("{} is not a regular file: give the path of a database file", .path.display())]
    #[non_exhaustive]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The file cannot be written, or its directory, where SQLite keeps its log.
    #[error("{} is read-only: let this process write the file and its directory", .path.display())]
    #[non_exhaustive]
    ReadOnly {
        /// The path.
        path: PathBuf,
    },
    /// The file is not a SQLite database.
    #[error("{} is not a SQLite database: give another path, or move that file away", .path.display())]
    #[non_exhaustive]
    NotADatabase {
        /// The path.
        path: PathBuf,
    },
    /// The file is a SQLite database of another application.
    #[error(
        "{} is another application's database: give the token store a file of its own, or open it with \
         `SqliteStore::open_shared`",
        .path.display()
    )]
    #[non_exhaustive]
    Foreign {
        /// The path.
        path: PathBuf,
    },
    /// The file was written by a newer version.
    #[error(
        "{} was written by a newer version of Hallpass (schema {found}, this version knows {known}): upgrade this program",
        .path.display()
    )]
    #[non_exhaustive]
    Newer {
        /// The path.
        path: PathBuf,
        /// The schema of the file.
        found: i64,
        /// The latest schema that this version knows.
        known: i64,
    },
    /// The database is damaged.
    #[error("{} is damaged: restore it from a backup", .path.display())]
    #[non_exhaustive]
    Damaged {
        /// The path.
        path: PathBuf,
        /// SQLite's error.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// Another process has kept the database locked for several seconds.
    #[error("{} is locked by another process: end its transaction and try again", .path.display())]
    #[non_exhaustive]
    Locked {
        /// The path.
        path: PathBuf,
    },
    /// SQLite cannot use a write-ahead log there.
    #[error("{} is on a file system without shared memory: keep it on a local disk", .path.display())]
    #[non_exhaustive]
    NoWriteAheadLog {
        /// The path.
        path: PathBuf,
    },
    /// The file cannot be reached for another reason.
    #[error("{} cannot be opened: let this process reach and write it", .path.display())]
    #[non_exhaustive]
    Unreachable {
        /// The path.
        path: PathBuf,
        /// The system's error.
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl ConnectError {
    pub(crate) fn unreachable(
        path: &Path,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self::Unreachable { path: path.to_owned(), source: source.into() }
    }

    /// Converts an error of the driver.
    pub(crate) fn of_driver(path: &Path, error: sqlx::Error) -> Self {
        let path = path.to_owned();
        match error_class(&error) {
            ErrorClass::Locked => Self::Locked { path },
            ErrorClass::ReadOnly => Self::ReadOnly { path },
            ErrorClass::NotADatabase => Self::NotADatabase { path },
            ErrorClass::Corrupt => Self::Damaged { path, source: error.into() },
            ErrorClass::Full
            | ErrorClass::Unsynced
            | ErrorClass::Referenced
            | ErrorClass::Other => Self::unreachable(&path, error),
        }
    }
}
