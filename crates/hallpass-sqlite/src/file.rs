//! The database file: where it is, and whether it is still the one that was opened.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use hallpass_core::store::StoreError;

use crate::open::ConnectError;

/// The file, by its absolute path and by what the file system calls it.
#[derive(Debug)]
pub(crate) struct DatabaseFile {
    path: PathBuf,
    identity: Identity,
}

/// What stays the same when a file is renamed, and differs when another takes its name.
#[cfg(unix)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

/// Elsewhere a file that is open can be neither deleted nor replaced.
#[cfg(not(unix))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity;

/// At the path is another file than the one that is open, or none.
#[derive(Debug, thiserror::Error)]
#[error("the database file was deleted or replaced while it was open")]
struct Moved;

impl DatabaseFile {
    /// Finds the file, or creates an empty one.
    pub(crate) fn locate(path: &Path) -> Result<Self, ConnectError> {
        let unreachable = |source| ConnectError::unreachable(path, source);
        // SQLite would read a name such as `:memory:` or `file:..` as something else; an absolute path
        // is a path, and stays right when the process changes its directory.
        let path = std::path::absolute(path).map_err(unreachable)?;
        if path.to_str().is_none() {
            return Err(unreachable(io::Error::other("the path is not UTF-8")));
        }
        let metadata = find_or_create(&path)?;
        if !metadata.is_file() {
            return Err(ConnectError::NotAFile { path });
        }
        // Root may write it all the same, but somebody has said that it shall stay as it is.
        if metadata.permissions().readonly() {
            return Err(ConnectError::ReadOnly { path });
        }
        Ok(Self { identity: Identity::of(&metadata), path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file at the path is still the one that is open. Deleted or replaced, it would take
    /// changes that no other process and no restart ever sees.
    ///
    /// One `stat` of a name that the kernel has at hand: two microseconds beside ninety for a look-up when it
    /// was measured, so it is asked each time.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match fs::metadata(&self.path) {
            Ok(metadata) if Identity::of(&metadata) == self.identity => Ok(()),
            Ok(_) => Err(StoreError::unavailable(Moved)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(StoreError::unavailable(Moved))
            }
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

/// A new file is its owner's alone; SQLite gives the files beside it the same permissions.
fn find_or_create(path: &Path) -> Result<fs::Metadata, ConnectError> {
    // Closing a file drops every lock that the process has on it, as POSIX wants it. So while the one
    // who creates it has it open, nobody else in this process may find it.
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
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        created => drop(created.map_err(unreachable)?),
    }
    fs::metadata(path).map_err(unreachable)
}
