//! The step `features`: checks each published package without features, with each feature alone and
//! with all features, and the examples as `cargo run --example` builds them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};

use super::Found;
use crate::process::{run, run_reading};
use crate::workspace::Workspace;

pub(super) fn check(workspace: &Workspace) -> Result<Found> {
    // Other steps build the whole workspace, where another package may turn on a feature that an
    // example needs.
    run(&mut workspace.cargo(["check", "--examples"])).context("an example lacks a feature")?;
    let (mut checked, mut broken) = (0, Vec::new());
    for package in workspace.published_packages() {
        for set in sets(&package.features) {
            let features = set.join(",");
            // The tests are left out, because their dependencies turn on features that users do not
            // have.
            let mut check =
                workspace.cargo(["check", "--package", &package.name, "--no-default-features"]);
            check.args(["--features", &features, "--color", "never"]);
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
        bail!("broken: {}", broken.join(", "));
    }
    Ok(Found { note: format!("{checked} sets of features"), ..Found::passed() })
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
