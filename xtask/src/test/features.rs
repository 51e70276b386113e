//! The step `features`: checks each published package without features, with each feature alone and
//! with all features, and the examples as `cargo run --example` builds them.

use anyhow::{Context, Result, bail};

use super::Found;
use crate::process::run;
use crate::workspace::Workspace;

pub(super) fn check(workspace: &Workspace) -> Result<Found> {
    // Other steps build the whole workspace, where another package may turn on a feature that an
    // example needs.
    run(&mut workspace.cargo(["check", "--examples"])).context("an example lacks a feature")?;
    let (mut checked, mut broken) = (0, Vec::new());
    for package in workspace.published_packages() {
        // The feature `default` is one of them.
        let names: Vec<_> = package.features.keys().map(String::as_str).collect();
        for set in sets(&names) {
            let features = set.join(",");
            // This runs Clippy, because a feature that is off more often leaves unused code than
            // broken code. The tests are left out, because their dependencies turn on features that
            // users do not have.
            let mut clippy =
                workspace.cargo(["clippy", "--package", &package.name, "--no-default-features"]);
            clippy.args(["--features", &features, "--", "-D", "warnings"]);
            if run(&mut clippy).is_err() {
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

/// Returns the sets of features: none, each alone, and all.
fn sets<'a>(names: &[&'a str]) -> Vec<Vec<&'a str>> {
    let mut sets = vec![vec![]];
    sets.extend(names.iter().map(|&name| vec![name]));
    if names.len() > 1 {
        sets.push(names.to_vec());
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_set_is_listed_once() {
        assert_eq!(sets(&[]), [vec![] as Vec<&str>]);
        assert_eq!(sets(&["a"]), [vec![], vec!["a"]]);
        assert_eq!(
            sets(&["a", "b", "c"]),
            [vec![], vec!["a"], vec!["b"], vec!["c"], vec!["a", "b", "c"]]
        );
    }
}
