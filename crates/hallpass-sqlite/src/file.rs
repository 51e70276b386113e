//! The database file: its path, and a check that it is still the file that was opened.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use hallpass_core::store::StoreError;

use crate::open::ConnectError;

/// The database file, with its absolute path and its identity in the file system.
#[derive(Debug)]
pub(crate) struct DatabaseFile {
    path: PathBuf,
    identity: Identity,
}

/// The identity of a file. It stays the same if the file is renamed, and differs if another file
/// replaces it.
#[cfg(unix)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

/// The identity of a file. It is empty here, because on other systems than Unix an open file cannot
/// be deleted or replaced.
#[cfg(not(unix))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity;

/// The error if the path no longer leads to the open file.
#[derive(Debug, thiserror::Error)]
#[error("the database file {} was deleted or replaced while it was open", .0.display())]
struct Moved(PathBuf);

impl DatabaseFile {
    /// Finds the file, or creates an empty one.
    pub(crate) fn locate(path: &Path) -> Result<Self, ConnectError> {
        if path.to_str().is_some_and(|path| path.starts_with("sqlite:")) {
            return Err(ConnectError::UrlAsPath { path: path.to_owned() });
        }
        let unreachable = |source| ConnectError::unreachable(path, source);
        // SQLite gives names such as `:memory:` and `file:..` another meaning. An absolute path has
        // no other meaning, and it stays correct if the process changes its directory.
        let path = std::path::absolute(path).map_err(unreachable)?;
        if path.to_str().is_none() {
            return Err(unreachable(io::Error::other("the path is not UTF-8")));
        }
        let metadata = find_or_create(&path)?;
        if !metadata.is_file() {
            return Err(ConnectError::NotAFile { path });
        }
        // Root could write the file, but it was protected on purpose.
        if metadata.permissions().readonly() {
            return Err(ConnectError::ReadOnly { path });
        }
        Ok(Self { identity: Identity::of(&metadata), path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether that path leads to this file.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|metadata| Identity::of(&metadata) == self.identity)
    }

    /// Checks that the file at the path is still the open one. Changes to a deleted or replaced
    /// file would be lost, because no other process and no later start of this one would see them.
    ///
    /// Every call does this check. It costs one `stat`, which took 2 µs compared with 90 µs for a
    /// lookup.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let moved = || StoreError::unavailable(Moved(self.path.clone()));
        match fs::metadata(&self.path) {
            Ok(metadata) if Identity::of(&metadata) == self.identity => Ok(()),
            Ok(_) => Err(moved()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(moved()),
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }
}

impl Identity {
    #[cfg(unix)]
    fn of(metadata: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    #[cfg(not(unix))]
    fn of(_: &fs::Metadata) -> Self {
        Self
    }
}

/// Finds the file or creates one that only its owner can read. SQLite creates the files `-wal` and
/// `-shm` with the same permissions.
fn find_or_create(path: &Path) -> Result<fs::Metadata, ConnectError> {
    // POSIX drops all locks of a process on a file as soon as the process closes the file anywhere.
    // So no other call may open the file with SQLite while this one has it open in order to create
    // it.
    static CREATING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = CREATING.lock().unwrap_or_else(PoisonError::into_inner);

    let unreachable = |source| ConnectError::unreachable(path, source);
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => return found.map_err(unreachable),
    }
    let directory = path.parent().unwrap_or(path);
    match fs::metadata(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(ConnectError::NoDirectory { directory: directory.to_owned() });
        }
        found => found.map_err(unreachable)?,
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        // Another process has just created the file.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        created => drop(created.map_err(unreachable)?),
    }
    fs::metadata(path).map_err(unreachable)
}
