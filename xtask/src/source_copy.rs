//! A copy of the repository that a command may change.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};

use crate::workspace::Workspace;

/// A copy of the sources, with a target folder of its own that the next run uses again.
pub(crate) struct SourceCopy {
    pub(crate) root: Utf8PathBuf,
    pub(crate) target: Utf8PathBuf,
}

impl SourceCopy {
    /// Copies the files that git tracks or would add to a folder of this name in the target folder.
    /// Files that are equal keep their time, so that cargo builds only what has changed.
    pub(crate) fn make(workspace: &Workspace, name: &str) -> Result<Self> {
        let folder = workspace.target(name);
        let copy = Self { root: folder.join("source"), target: folder.join("build") };
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

/// Gives another target folder what was built for the tests of the whole workspace. A build there
/// does not build the dependencies again that it needs with the same features.
///
/// Cargo writes its notes about a crate into the existing files, so these are copied. A crate that
/// is built again is a new file, so the crates can be links. The notes about the workspace's own
/// packages are left out, so that these are always built from the sources of the other folder.
pub(crate) fn share_dependencies(workspace: &Workspace, target: &Utf8Path) -> Result<()> {
    let (from, to) = (workspace.target("debug"), target.join("debug"));
    for_each_file(&from.join("build"), &to.join("build"), &copy)?;
    for_each_file(&from.join("deps"), &to.join("deps"), &|from, to| fs::hard_link(from, to))?;
    let (from, to) = (from.join(".fingerprint"), to.join(".fingerprint"));
    // A note is a folder such as `serde_json-0a1b2c`.
    let is_own = |note: &str| {
        note.rsplit_once('-').is_none_or(|(package, _)| workspace.package(package).is_ok())
    };
    for note in from.read_dir_utf8().into_iter().flatten().flatten() {
        if !is_own(note.file_name()) {
            for_each_file(note.path(), &to.join(note.file_name()), &copy)?;
        }
    }
    Ok(())
}

/// Calls a function for each file of a folder and the same path in another folder, if there is no
/// such file yet.
fn for_each_file(
    from: &Utf8Path,
    to: &Utf8Path,
    share: &impl Fn(&Utf8Path, &Utf8Path) -> io::Result<()>,
) -> Result<()> {
    fs::create_dir_all(to)?;
    // Another build may remove a temporary folder or file at any time.
    for entry in from.read_dir_utf8().into_iter().flatten().flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            for_each_file(from, &to, share)?;
        } else if !to.exists()
            && let Err(error) = share(from, &to)
            && error.kind() != ErrorKind::NotFound
        {
            return Err(error).with_context(|| format!("cannot share {from}"));
        }
    }
    Ok(())
}

/// Copies a file with its time, by which cargo knows whether it is up to date.
fn copy(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    let changed_at = fs::metadata(from)?.modified()?;
    fs::copy(from, to)?;
    File::open(to)?.set_modified(changed_at)
}
