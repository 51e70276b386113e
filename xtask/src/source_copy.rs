//! A copy of the repository that a command may change.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
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

/// Links the dependencies that were built for the tests of the whole workspace into another target
/// folder. A build there does not build those again that it needs with the same features.
pub(crate) fn link_dependencies(workspace: &Workspace, target: &Utf8Path) -> Result<()> {
    let own = workspace.crate_names();
    for folder in ["build", "deps", ".fingerprint"] {
        let from = workspace.target("debug").join(folder);
        let to = target.join("debug").join(folder);
        if !from.exists() {
            continue;
        }
        fs::create_dir_all(&to)?;
        for entry in from.read_dir_utf8()? {
            let entry = entry?;
            if !own.contains(&crate_name(entry.file_name())) {
                link(entry.path(), &to.join(entry.file_name()))?;
            }
        }
    }
    Ok(())
}

/// Links a file, or all files of a folder, unless they exist.
fn link(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        // Another build may remove a temporary folder at any time.
        for entry in from.read_dir_utf8().into_iter().flatten().flatten() {
            link(entry.path(), &to.join(entry.file_name()))?;
        }
    } else if let Err(error) = fs::hard_link(from, to)
        && !matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound)
    {
        // Another build may have removed a temporary file.
        return Err(error.into());
    }
    Ok(())
}

/// Returns the crate that a file of cargo's belongs to, such as `serde_json` for
/// `libserde_json-0a1b2c.rlib` and `serde-json-0a1b2c`.
fn crate_name(file: &str) -> String {
    let stem = file.split('.').next().unwrap_or_default();
    let name = stem.rsplit_once('-').map_or(stem, |(name, _)| name);
    name.strip_prefix("lib").unwrap_or(name).replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_shows_its_crate() {
        for (file, name) in [
            ("libserde_json-0a1b.rlib", "serde_json"),
            ("serde-json-0a1b", "serde_json"),
            ("layer-0a1b.d", "layer"),
            ("libc-0a1b.d", "c"),
        ] {
            assert_eq!(crate_name(file), name);
        }
    }
}
