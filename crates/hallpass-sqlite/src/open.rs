use std::error::Error as StdError;
use std::path::{Path, PathBuf};

use crate::trouble::{Trouble, trouble};

/// Why a store was not opened: what was wrong, where, and what to do. The file is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The text is no address of a SQLite store.
    #[error("the address of a SQLite store is `sqlite:` and a path, such as `sqlite:tokens.db`")]
    Address,
    /// The directory that the file is to be in does not exist.
    #[error("there is no directory {}: create it, or give another path", .directory.display())]
    #[non_exhaustive]
    NoDirectory {
        /// The missing directory.
        directory: PathBuf,
    },
    /// The path leads to something else than a file.
    #[error("{} is not a file but a directory or the like: give the path of a database file", .path.display())]
    #[non_exhaustive]
    NotAFile {
        /// What was to be opened.
        path: PathBuf,
    },
    /// The file, or the directory that SQLite keeps its log in, cannot be written.
    #[error("{} is read-only: let this process write the file and its directory", .path.display())]
    #[non_exhaustive]
    ReadOnly {
        /// What was to be opened.
        path: PathBuf,
    },
    /// The file holds something else than a SQLite database.
    #[error("{} is no SQLite database: give another path, or move that file away", .path.display())]
    #[non_exhaustive]
    NotADatabase {
        /// What was to be opened.
        path: PathBuf,
    },
    /// The file is a SQLite database, but not Hallpass's.
    #[error(
        "{} is another application's database: give the token store a file of its own",
        .path.display()
    )]
    #[non_exhaustive]
    Foreign {
        /// What was to be opened.
        path: PathBuf,
    },
    /// The file was written by a later version.
    #[error(
        "{} was written by a newer version of Hallpass (schema {found}, this one knows {known}): upgrade this program",
        .path.display()
    )]
    #[non_exhaustive]
    Newer {
        /// What was to be opened.
        path: PathBuf,
        /// The schema that the file has.
        found: i64,
        /// The latest schema that this version knows.
        known: i64,
    },
    /// The database is damaged.
    #[error("{} is damaged: restore it from a backup", .path.display())]
    #[non_exhaustive]
    Damaged {
        /// What was to be opened.
        path: PathBuf,
        /// What SQLite says.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// Another process has kept the database locked for seconds.
    #[error("{} is locked by another process: end its transaction and try again", .path.display())]
    #[non_exhaustive]
    Locked {
        /// What was to be opened.
        path: PathBuf,
    },
    /// SQLite cannot keep a write-ahead log there.
    #[error("{} is on a file system without shared memory: keep it on a local disk", .path.display())]
    #[non_exhaustive]
    NoWriteAheadLog {
        /// What was to be opened.
        path: PathBuf,
    },
    /// The file cannot be reached for another reason.
    #[error("{} cannot be opened: see that this process may reach and write it", .path.display())]
    #[non_exhaustive]
    Unreachable {
        /// What was to be opened.
        path: PathBuf,
        /// What the system says.
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

    /// What the driver's trouble means for somebody who opens a store.
    pub(crate) fn of_driver(path: &Path, error: sqlx::Error) -> Self {
        let path = path.to_owned();
        match trouble(&error) {
            Trouble::Locked => Self::Locked { path },
            Trouble::ReadOnly => Self::ReadOnly { path },
            Trouble::NotADatabase => Self::NotADatabase { path },
            Trouble::Corrupt => Self::Damaged { path, source: error.into() },
            Trouble::Full | Trouble::Unsynced | Trouble::Other => Self::unreachable(&path, error),
        }
    }
}
