use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

/// The folder in which Debian installs the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Returns the folder with the programs of the newest version.
pub(crate) fn newest_programs() -> Result<PathBuf> {
    let versions = fs::read_dir(VERSIONS).into_iter().flatten().filter_map(|entry| {
        let folder = entry.ok()?.path();
        let version: u32 = folder.file_name()?.to_str()?.parse().ok()?;
        let programs = folder.join("bin");
        programs.join("postgres").is_file().then_some((version, programs))
    });
    let newest = versions.max_by_key(|(version, _)| *version);
    newest.map(|(_, programs)| programs).with_context(|| {
        format!("PostgreSQL is not installed (no {VERSIONS}/*/bin/postgres): install the package `postgresql`")
    })
}
