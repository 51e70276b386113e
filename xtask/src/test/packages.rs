//! The step `packages`: makes the packages that would be uploaded, and checks each one without
//! features, with each feature alone and with all features, with the oldest dependencies that it
//! allows.
//!
//! `cargo publish` also builds each package, with its default features and the dependencies of its
//! lock file. That happens only at a release. With the dependencies of the workspace's lock file,
//! the other steps compile the crates, but with all features at once: that a feature alone compiles
//! is known for the oldest dependencies only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, bail};
use cargo_metadata::Package;
use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};

use super::Found;
use crate::process::{run, run_reading};
use crate::workspace::Workspace;

pub(super) fn check(workspace: &Workspace) -> Result<Found> {
    let packages: Vec<_> = workspace.published_packages().collect();
    let sources = unpack(workspace, &packages)?;
    choose_oldest_dependencies(workspace, &sources)?;
    let (mut checked, mut broken) = (0, Vec::new());
    for package in packages {
        for set in sets(&package.features) {
            let features = set.join(",");
            // The tests are left out, because their dependencies turn on features that users do not
            // have.
            let mut check =
                workspace.cargo(["check", "--package", &package.name, "--no-default-features"]);
            check.args(["--features", &features, "--color", "never", "--target-dir"]);
            check.arg(workspace.target("packages/build")).current_dir(&sources);
            // A feature that is off more often leaves unused code than broken code.
            let mut warned = false;
            let compiled = run_reading(&mut check, |line| warned |= line.starts_with("warning"))?;
            if warned || !compiled {
                broken.push(format!("{} [{features}]", package.name));
            }
            checked += 1;
        }
    }
    if !broken.is_empty() {
        bail!(
            "broken: {}. A file may be missing in the package, a feature may lack another one, or a \
             lower bound in Cargo.toml may be too low",
            broken.join(", ")
        );
    }
    Ok(Found { note: format!("{checked} sets of features"), ..Found::passed() })
}

/// Makes the packages, and returns a folder with a workspace of their contents.
fn unpack(workspace: &Workspace, packages: &[&Package]) -> Result<Utf8PathBuf> {
    let folder = workspace.target("packages");
    let mut package = workspace.cargo(["package", "--no-verify", "--allow-dirty", "--quiet"]);
    package.args(["--target-dir", folder.as_str()]);
    run(package.args(packages.iter().flat_map(|package| ["--package", &package.name])))?;
    let sources = folder.join("sources");
    if sources.exists() {
        fs::remove_dir_all(&sources)?;
    }
    fs::create_dir(&sources)?;
    for name in packages.iter().map(|package| folder_name(package)) {
        // The files get the current time. In the packages they have a fixed one, by which cargo
        // could not see that they have changed.
        let mut tar = workspace.command("tar");
        tar.args(["-xzmf", &format!("package/{name}.crate"), "-C", "sources"]).current_dir(&folder);
        run(&mut tar)?;
    }
    fs::write(sources.join("Cargo.toml"), manifest(packages))?;
    Ok(sources)
}

/// Returns the manifest of a workspace in which the packages depend on each other, and not on
/// versions that were published before.
fn manifest(packages: &[&Package]) -> String {
    let folders: Vec<_> = packages.iter().map(|package| folder_name(package)).collect();
    let mut manifest =
        format!("[workspace]\nresolver = \"3\"\nmembers = {folders:?}\n\n[patch.crates-io]\n");
    for (package, folder) in packages.iter().zip(&folders) {
        manifest.push_str(&format!("{} = {{ path = {folder:?} }}\n", package.name));
    }
    manifest
}

/// Returns the name of the folder in a package.
fn folder_name(package: &Package) -> String {
    format!("{}-{}", package.name, package.version)
}

/// Writes the lock file with the oldest version of each direct dependency, and downloads all.
///
/// Cargo's option for this is unstable. `RUSTC_BOOTSTRAP` lets the stable cargo accept it, for the
/// choice of versions alone.
fn choose_oldest_dependencies(workspace: &Workspace, sources: &Utf8Path) -> Result<()> {
    let mut choose = workspace.cargo(["generate-lockfile", "--quiet", "-Zdirect-minimal-versions"]);
    run(choose.current_dir(sources).env("RUSTC_BOOTSTRAP", "1"))
        .context("a lower bound in a Cargo.toml is below what another crate needs: raise it")?;
    // A warning about a download that is tried again must not look like one of the compiler.
    run(workspace.cargo(["fetch"]).current_dir(sources))
}

/// Returns the sets of features: none, each alone (`default` is one of them), and all. A set that
/// enables the same as an earlier one is left out.
fn sets(features: &BTreeMap<String, Vec<String>>) -> Vec<Vec<&str>> {
    let names: Vec<_> = features.keys().map(String::as_str).collect();
    let mut sets = vec![vec![]];
    sets.extend(names.iter().map(|&name| vec![name]));
    sets.push(names);
    let mut known = BTreeSet::new();
    sets.retain(|set| known.insert(enabled(set, features)));
    sets
}

/// Returns everything that these features enable, except `default`, which is only a list of others.
fn enabled<'a>(set: &[&'a str], features: &'a BTreeMap<String, Vec<String>>) -> BTreeSet<&'a str> {
    let (mut enabled, mut left) = (BTreeSet::new(), set.to_vec());
    while let Some(feature) = left.pop() {
        if enabled.insert(feature) {
            left.extend(features.get(feature).into_iter().flatten().map(String::as_str));
        }
    }
    enabled.remove("default");
    enabled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(list: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        list.iter().map(|(name, enables)| ((*name).to_owned(), texts(enables))).collect()
    }

    #[test]
    fn each_set_is_listed_once() {
        assert_eq!(sets(&features(&[])), [vec![] as Vec<&str>]);
        assert_eq!(sets(&features(&[("a", &[])])), [vec![], vec!["a"]]);
        let of_three = features(&[("a", &[]), ("b", &["dep:b"]), ("default", &["a"])]);
        assert_eq!(sets(&of_three), [vec![], vec!["a"], vec!["b"], vec!["a", "b", "default"]]);
        let implied = features(&[("a", &["b"]), ("b", &["c/d"])]);
        assert_eq!(sets(&implied), [vec![], vec!["a"], vec!["b"]]);
    }
}
