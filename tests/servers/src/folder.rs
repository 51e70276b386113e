use std::env;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result};

/// A shell script that removes a folder as soon as every process has closed the other end of its
/// standard input.
const KEEP: &str = r#"read -r _; rm -rf "$1""#;

/// The memory that servers of tests use at most, in bytes, with much to spare.
const ROOM: u64 = 4 << 30;

/// A folder for the data of a server. It is removed when this value is dropped or this process
/// ends, and no server uses the folder any longer.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// The writing end of the shell's input, or `None` after it was dropped.
    hold: Option<ChildStdin>,
    shell: Child,
}

impl Folder {
    /// Creates a folder whose name starts with `prefix`.
    pub(crate) fn new(prefix: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix(prefix).tempdir_in(parent())?;
        let mut shell = Command::new("sh");
        shell.args(["-c", KEEP, "keep"]).arg(folder.path());
        // In a process group of its own, so that Ctrl-C in a terminal does not end the shell.
        shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut shell = shell.spawn().context("cannot run `sh`")?;
        // From now on the shell removes the folder.
        Ok(Self { path: folder.keep(), hold: shell.stdin.take(), shell })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns a file descriptor that keeps the folder as long as a process has it open.
    pub(crate) fn hold(&self) -> io::Result<OwnedFd> {
        let hold = self.hold.as_ref().expect("it is taken only in `drop`");
        std::os::fd::AsFd::as_fd(hold).try_clone_to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.hold.take());
        // An error means that the shell has already ended.
        let _ = self.shell.wait();
    }
}

/// Returns the folder in which the folders are created: one in memory if there is enough of it.
/// While a machine compiles, writing to its disk can take longer than the deadlines of the stores.
fn parent() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    match rustix::fs::statvfs(&memory) {
        Ok(system) if system.f_bavail.saturating_mul(system.f_frsize) >= ROOM => memory,
        _ => env::temp_dir(),
    }
}
