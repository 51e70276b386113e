//! A copy of the repository that a command may change.

use std::ffi::OsStr;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cargo_metadata::camino::Utf8PathBuf;

use crate::workspace::Workspace;

/// A copy of the sources, with a target folder of its own that the next run uses again.
pub(crate) struct SourceCopy {
    pub(crate) root: Utf8PathBuf,
    target: Utf8PathBuf,
}

impl SourceCopy {
    /// Copies the files that git tracks or would add to a folder of this name in the target folder.
    /// Files that are equal keep their time, so that cargo builds only what has changed.
    pub(crate) fn make(workspace: &Workspace, name: &str) -> Result<Self> {
        let folder = workspace.target(name);
        let copy = Self { root: folder.join("source"), target: folder.join("target") };
        let listed = workspace
            .command("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .output()?;
        ensure!(listed.status.success(), "git cannot list the files");
        let files = String::from_utf8(listed.stdout)?;
        for file in files.split_terminator('\0') {
            let (from, to) = (workspace.root().join(file), copy.root.join(file));
            // A file that was deleted and not committed is still listed.
            if !from.is_file() {
                continue;
            }
            let bytes = fs::read(&from)?;
            if fs::read(&to).is_ok_and(|old| old == bytes) {
                continue;
            }
            fs::create_dir_all(to.parent().context("a file is in a folder")?)?;
            fs::write(&to, bytes)?;
        }
        Ok(copy)
    }

    /// Returns cargo with arguments, run in the copy.
    pub(crate) fn cargo<I: AsRef<OsStr>>(
        &self,
        workspace: &Workspace,
        arguments: impl IntoIterator<Item = I>,
    ) -> Command {
        let mut command = workspace.cargo(arguments);
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        command.env("CARGO_PROFILE_DEV_DEBUG", "false");
        command
    }
}
