//! The step `minimal`: the libraries compile with the oldest dependencies that they allow.
//!
//! Cargo's option for this is unstable. `RUSTC_BOOTSTRAP` lets the stable cargo accept it, for the
//! choice of versions alone.

use std::fs;

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::Found;
use crate::process::run;
use crate::source_copy::SourceCopy;
use crate::workspace::{Workspace, features};

/// The members that cargo needs to resolve the published crates. `tests/servers` is a
/// dev-dependency of stores.
const MEMBERS: [&str; 2] = ["crates/*", "tests/servers"];

pub(super) fn check(workspace: &Workspace) -> Result<Found> {
    let copy = SourceCopy::make(workspace, "minimal")?;
    // The tests, benchmarks and tools follow the newest versions.
    let manifest = copy.root.join("Cargo.toml");
    let members = with_members(&fs::read_to_string(&manifest)?)?;
    fs::write(&manifest, members)?;
    let mut choose =
        copy.cargo(workspace, ["generate-lockfile", "--quiet", "-Zdirect-minimal-versions"]);
    run(choose.env("RUSTC_BOOTSTRAP", "1"))
        .context("a lower bound in a Cargo.toml is below what another crate needs: raise it")?;
    let features = features(workspace.published_packages());
    let mut check =
        copy.cargo(workspace, ["check", "--lib", "--bins", "--quiet", "--features", &features]);
    for package in workspace.published_packages() {
        check.args(["--package", &package.name]);
    }
    run(&mut check).context("a lower bound in a Cargo.toml is too low: raise it")?;
    Ok(Found::passed())
}

/// Returns the manifest of a workspace with [`MEMBERS`] only.
fn with_members(manifest: &str) -> Result<String> {
    let mut table: Table = manifest.parse()?;
    let workspace = table["workspace"].as_table_mut().context("there is no workspace")?;
    workspace.remove("default-members");
    workspace.insert("members".to_owned(), MEMBERS.map(Value::from).to_vec().into());
    Ok(table.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_members_change() {
        let changed = with_members(
            "[workspace]\nmembers = [\"xtask\"]\ndefault-members = [\"a\"]\n\
             [workspace.dependencies]\nhttp = \"1.3\"\n",
        );
        let table: Table = changed.unwrap().parse().unwrap();
        let expected: Table = "[workspace]\nmembers = [\"crates/*\", \"tests/servers\"]\n\
                               [workspace.dependencies]\nhttp = \"1.3\"\n"
            .parse()
            .unwrap();
        assert_eq!(table, expected);
    }
}
