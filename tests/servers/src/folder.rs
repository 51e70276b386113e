use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result};

/// Waits until nobody holds the folder any more, and removes it.
const KEEP: &str = r#"read -r _; rm -rf "$1""#;

/// A folder for a server's data that is removed when this value and all servers in it are gone, or
/// this process is.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// None once it is let go.
    hold: Option<ChildStdin>,
    shell: Child,
}

impl Folder {
    /// A new one, whose name begins like that.
    pub(crate) fn new(prefix: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix(prefix).tempdir()?;
        let mut shell = Command::new("sh");
        shell.args(["-c", KEEP, "keep"]).arg(folder.path());
        // Out of reach of a terminal's Ctrl-C, which would take the shell first.
        shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut shell = shell.spawn().context("`sh` cannot be run")?;
        // From here on it is the shell that removes it.
        Ok(Self { path: folder.keep(), hold: shell.stdin.take(), shell })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What keeps the folder while somebody has it.
    pub(crate) fn hold(&self) -> io::Result<OwnedFd> {
        let hold = self.hold.as_ref().expect("it is let go when it is dropped");
        std::os::fd::AsFd::as_fd(hold).try_clone_to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.hold.take());
        // Where the shell cannot be waited for, it is gone already.
        let _ = self.shell.wait();
    }
}
