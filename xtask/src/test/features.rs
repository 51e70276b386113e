//! The step `features`: the facade with every sensible set of its features.

use anyhow::Result;
use cargo_metadata::Package;

use super::Found;
use crate::process::run;
use crate::workspace::Workspace;

const FACADE: &str = "hallpass";

pub(super) fn check(workspace: &Workspace) -> Result<Found> {
    let sets = sets(&names(workspace.package(FACADE)?));
    for set in &sets {
        // Clippy, since a feature that is off leaves unused code behind more often than broken code.
        run(workspace
            .cargo(["clippy", "--package", FACADE, "--no-default-features", "--features"])
            .arg(set.join(","))
            .args(["--", "-D", "warnings"]))?;
    }
    Ok(Found { note: format!("{} sets of features", sets.len()), ..Found::passed() })
}

/// The features a user names. `default` only names others.
fn names(package: &Package) -> Vec<&str> {
    package.features.keys().map(String::as_str).filter(|name| *name != "default").collect()
}

/// None, each alone, each two together, and all.
fn sets<'a>(names: &[&'a str]) -> Vec<Vec<&'a str>> {
    let mut sets = vec![vec![]];
    sets.extend(names.iter().map(|&one| vec![one]));
    for (at, &one) in names.iter().enumerate() {
        sets.extend(names[at + 1..].iter().map(|&other| vec![one, other]));
    }
    if names.len() > 2 {
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
        assert_eq!(sets(&["a", "b"]), [vec![], vec!["a"], vec!["b"], vec!["a", "b"]]);
        assert_eq!(
            sets(&["a", "b", "c"]),
            [
                vec![],
                vec!["a"],
                vec!["b"],
                vec!["c"],
                vec!["a", "b"],
                vec!["a", "c"],
                vec!["b", "c"],
                vec!["a", "b", "c"],
            ]
        );
    }
}
