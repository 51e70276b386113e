//! The step `features`: the facade with each of its features alone, with none and with all.

use anyhow::{Result, bail};

use super::Found;
use crate::process::run;
use crate::workspace::Workspace;

const FACADE: &str = "hallpass";

pub(super) fn check(workspace: &Workspace) -> Result<Found> {
    let package = workspace.package(FACADE)?;
    // `default` is one of them.
    let names: Vec<_> = package.features.keys().map(String::as_str).collect();
    let sets = sets(&names);
    let mut broken = Vec::new();
    for set in &sets {
        let features = set.join(",");
        // Clippy, since a feature that is off leaves unused code behind more often than broken
        // code. Without tests, since what they ask of a dependency is not there for users.
        let mut clippy = workspace.cargo(["clippy", "--package", FACADE, "--no-default-features"]);
        clippy.args(["--features", &features, "--", "-D", "warnings"]);
        if run(&mut clippy).is_err() {
            broken.push(format!("[{features}]"));
        }
    }
    if !broken.is_empty() {
        bail!("broken with {}", broken.join(", "));
    }
    Ok(Found { note: format!("{} sets of features", sets.len()), ..Found::passed() })
}

/// None, each alone, and all.
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
    fn each_set_comes_once() {
        assert_eq!(sets(&[]), [vec![] as Vec<&str>]);
        assert_eq!(sets(&["a"]), [vec![], vec!["a"]]);
        assert_eq!(
            sets(&["a", "b", "c"]),
            [vec![], vec!["a"], vec!["b"], vec!["c"], vec!["a", "b", "c"]]
        );
    }
}
