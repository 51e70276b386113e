//! The errors of opening a store.

use std::error::Error as StdError;
use std::path::{Path, PathBuf};

use crate::error_class::{ErrorClass, error_class};

/// The error of opening a store. The message names the path and explains what to do. The file is
/// left unchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The text is not the URL of a SQLite store.
    #[error("the URL of a SQLite store is `sqlite:` and a path, such as `sqlite:tokens.db`")]
    Address,
    /// A parameter of the URL has an effect that the store cannot have.
    #[error(
        "the store cannot apply the parameter `{name}` of the SQLite URL: remove it, or open the \
         store with `SqliteStore::open_shared`"
    )]
    #[non_exhaustive]
    Parameter {
        /// The name of the parameter.
        name: String,
    },
    /// The path is a URL.
    #[error("{} is a URL and not a path: open it with `SqliteStore::connect`", .path.display())]
    #[non_exhaustive]
    UrlAsPath {
        /// The path.
        path: PathBuf,
    },
    /// The pool is for an in-memory database, which only its own connections can see.
    #[error("an in-memory database cannot be shared: use a database file for the token store")]
    InMemory,
    /// The directory of the file does not exist.
    #[error("the directory {} does not exist: create it, or use another path", .directory.display())]
    #[non_exhaustive]
    NoDirectory {
        /// The missing directory.
        directory: PathBuf,
    },
    /// The path does not lead to a regular file.
    #[error("{} is not a regular file: use the path of a database file", .path.display())]
    #[non_exhaustive]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The file or its directory cannot be written. SQLite keeps its log in the directory.
    #[error("{} is read-only: allow this process to write the file and its directory", .path.display())]
    #[non_exhaustive]
    ReadOnly {
        /// The path.
        path: PathBuf,
    },
    /// The file is not a SQLite database.
    #[error("{} is not a SQLite database: use another path, or move that file away", .path.display())]
    #[non_exhaustive]
    NotADatabase {
        /// The path.
        path: PathBuf,
    },
    /// The file is a SQLite database of another application.
    #[error(
        "{} is the database of another application: use a separate file for the token store, or \
         open it with `SqliteStore::open_shared`",
        .path.display()
    )]
    #[non_exhaustive]
    Foreign {
        /// The path.
        path: PathBuf,
    },
    /// The file was written by a newer version.
    #[error(
        "{} was written by a newer version of Hallpass (schema {found}, this version supports \
         {known}): upgrade this program",
        .path.display()
    )]
    #[non_exhaustive]
    Newer {
        /// The path.
        path: PathBuf,
        /// The schema of the file.
        found: i64,
        /// The latest schema that this version supports.
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
    /// SQLite cannot use a write-ahead log on this file system.
    #[error("{} is on a file system without shared memory: move it to a local disk", .path.display())]
    #[non_exhaustive]
    NoWriteAheadLog {
        /// The path.
        path: PathBuf,
    },
    /// The file cannot be reached for another reason.
    #[error("{} cannot be opened: allow this process to read and write it", .path.display())]
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
