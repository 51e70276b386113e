//! The places of the repository's files, and how to call cargo in it.

use std::env;
use std::ffi::OsStr;
use std::process::Command;

use anyhow::{Context, Result};
use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{Metadata, MetadataCommand, Package};

/// The features that [`Workspace::everything`] leaves out. They link a program with a TLS library,
/// and would change the behaviour of the drivers in all other programs. Only the tests over TLS
/// enable them.
const APART: [&str; 3] =
    ["hallpass-cli/native-tls", "hallpass-cli/rustls", "hallpass-tls-tests/tls"];

/// This repository, as cargo describes it.
pub(crate) struct Workspace {
    metadata: Metadata,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self> {
        let manifest = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("Cargo.toml");
        let metadata = MetadataCommand::new()
            .manifest_path(manifest)
            .no_deps()
            .exec()
            .context("cargo cannot read the workspace")?;
        Ok(Self { metadata })
    }

    pub(crate) fn root(&self) -> &Utf8Path {
        &self.metadata.workspace_root
    }

    /// Returns the path of a folder or file below the target folder.
    pub(crate) fn target(&self, below: &str) -> Utf8PathBuf {
        self.metadata.target_directory.join(below)
    }

    pub(crate) fn package(&self, name: &str) -> Result<&Package> {
        self.metadata
            .packages
            .iter()
            .find(|package| package.name == name)
            .with_context(|| format!("the workspace has no package `{name}`"))
    }

    /// Returns the arguments for every package with all its features, except those of [`APART`].
    /// The tests build the programs that they run with the same ones (`tests/src/built.rs`).
    pub(crate) fn everything(&self) -> [String; 3] {
        let features = self.metadata.packages.iter().flat_map(|package| {
            package.features.keys().map(move |name| format!("{}/{name}", package.name))
        });
        let features: Vec<_> =
            features.filter(|feature| !APART.contains(&feature.as_str())).collect();
        ["--workspace".to_owned(), "--features".to_owned(), features.join(",")]
    }

    /// Returns the packages that are published.
    pub(crate) fn published_packages(&self) -> impl Iterator<Item = &Package> {
        // `publish = false` is an empty list of registries.
        self.metadata.packages.iter().filter(|package| package.publish.is_none())
    }

    /// Returns the folders `src` of the packages whose manifests say `test = false` for each
    /// library and program.
    pub(crate) fn untested_sources(&self) -> Vec<&Utf8Path> {
        let mut folders = Vec::new();
        for package in &self.metadata.packages {
            let targets =
                || package.targets.iter().filter(|target| target.is_lib() || target.is_bin());
            if targets().all(|target| !target.test) {
                folders.extend(targets().filter_map(|target| target.src_path.parent()));
            }
        }
        folders.retain(|folder| folder.ends_with("src"));
        folders
    }

    /// Returns a command that runs a program at the root.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.root());
        // `cargo run` sets variables that describe the package xtask. Build scripts that watch
        // these would run again for every caller.
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(|name| {
                name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
            }) {
                command.env_remove(name);
            }
        }
        command
    }

    /// Returns a command that runs the same cargo as this process, with arguments, at the root.
    pub(crate) fn cargo<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> Command {
        let mut command = self.command(env::var_os("CARGO").as_deref().unwrap_or("cargo".as_ref()));
        command.args(arguments);
        command
    }
}
