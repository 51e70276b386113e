//! `cargo xtask release --dry-run`: checks that a version can be released, and prints the steps.
//!
//! The steps are for a person, because a published version cannot be taken back.

use std::collections::BTreeMap;
use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use cargo_metadata::{DependencyKind, Package};

use crate::workspace::Workspace;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Check and print, and change nothing; there is no other way
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    if !arguments.dry_run {
        bail!("use --dry-run: a person publishes, by the steps that it prints");
    }
    let packages: Vec<_> = workspace.published_packages().collect();
    let version = one_version(&packages)?;
    let order = publish_order(&packages)?;
    let changelog = fs::read_to_string(workspace.root().join("CHANGELOG.md"))
        .context("cannot read CHANGELOG.md")?;
    let changed = git(workspace, &["status", "--porcelain"])?;
    let tag = format!("v{version}");
    let tagged = git(workspace, &["tag", "--list", &tag])?;

    let mut findings: Vec<_> = changelog_finding(&changelog, &version).into_iter().collect();
    if !changed.is_empty() {
        findings.push(format!("the tree is not clean, commit or remove this first:\n{changed}"));
    }
    if !tagged.is_empty() {
        findings.push(format!("the tag {tag} exists: raise the version in Cargo.toml"));
    }
    println!("Version {version}, {} packages.\n", order.len());
    println!("Steps:\n{}", steps(&version, &order));
    if findings.is_empty() {
        println!("Ready.");
        return Ok(ExitCode::SUCCESS);
    }
    println!("Not ready:");
    for finding in findings {
        println!("- {finding}");
    }
    Ok(ExitCode::FAILURE)
}

/// Returns the version that all packages share.
fn one_version(packages: &[&Package]) -> Result<String> {
    let first = packages.first().context("no package is published")?;
    if let Some(other) = packages.iter().find(|package| package.version != first.version) {
        bail!(
            "{} is {} and {} is {}: all crates share one version",
            first.name,
            first.version,
            other.name,
            other.version
        );
    }
    Ok(first.version.to_string())
}

/// Returns the packages in an order in which each comes after those that it depends on.
/// Dev-dependencies have no versions, so they are ignored when a package is published.
fn publish_order(packages: &[&Package]) -> Result<Vec<String>> {
    let names: Vec<_> = packages.iter().map(|package| package.name.to_string()).collect();
    let needs = packages.iter().map(|package| {
        let built = package.dependencies.iter().filter(|needed| {
            needed.kind != DependencyKind::Development && names.contains(&needed.name)
        });
        (package.name.to_string(), built.map(|needed| needed.name.clone()).collect())
    });
    order(needs.collect())
}

fn order(mut needs: BTreeMap<String, Vec<String>>) -> Result<Vec<String>> {
    let mut order: Vec<String> = Vec::new();
    while !needs.is_empty() {
        let is_next =
            |(_, needed): &(&String, &Vec<String>)| needed.iter().all(|name| order.contains(name));
        let Some(next) = needs.iter().find(is_next).map(|(name, _)| name.clone()) else {
            bail!("these packages depend on each other: {:?}", needs.keys());
        };
        needs.remove(&next);
        order.push(next);
    }
    Ok(order)
}

/// Returns the mistakes in the changelog. It needs a heading with the version and a date, and must
/// not have text under `Unreleased`.
fn changelog_finding(changelog: &str, version: &str) -> Option<String> {
    let heading = format!("## [{version}] - ");
    let mut lines = changelog.lines();
    if !lines.any(|line| line.strip_prefix(&heading).is_some_and(is_date)) {
        return Some(format!("CHANGELOG.md has no heading `{heading}YYYY-MM-DD`"));
    }
    let unreleased = changelog.split("## [Unreleased]").nth(1)?.split("\n## ").next()?;
    let is_empty = unreleased.lines().all(|line| line.trim().is_empty());
    (!is_empty)
        .then(|| "CHANGELOG.md has entries under Unreleased: move them to the version".to_owned())
}

fn is_date(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00"
}

fn steps(version: &str, order: &[String]) -> String {
    let mut steps = vec![
        "cargo xtask test".to_owned(),
        format!("git tag --sign v{version} --message v{version}"),
    ];
    steps.extend(order.iter().map(|name| format!("cargo publish --package {name}")));
    steps.push(format!("git push origin v{version}"));
    let numbered = (1..).zip(steps).map(|(number, step)| format!("{number:>3}. {step}\n"));
    numbered.collect()
}

fn git(workspace: &Workspace, arguments: &[&str]) -> Result<String> {
    let output =
        workspace.command("git").args(arguments).output().context("`git` cannot be started")?;
    if !output.status.success() {
        bail!("git: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_package_comes_after_those_that_it_needs() {
        let needs = |pairs: &[(&str, &[&str])]| {
            pairs
                .iter()
                .map(|(name, needed)| {
                    ((*name).to_owned(), needed.iter().map(|&name| name.to_owned()).collect())
                })
                .collect()
        };
        let sorted = order(needs(&[("a", &["c"]), ("b", &["a", "c"]), ("c", &[])])).unwrap();
        assert_eq!(sorted, ["c", "a", "b"]);
        let cycle = order(needs(&[("a", &["b"]), ("b", &["a"]), ("c", &[])])).unwrap_err();
        assert!(cycle.to_string().contains(r#"["a", "b"]"#), "{cycle}");
    }

    #[test]
    fn packages_of_this_workspace_have_an_order() {
        let workspace = Workspace::load().unwrap();
        let packages: Vec<_> = workspace.published_packages().collect();
        let order = publish_order(&packages).unwrap();
        let position = |name| order.iter().position(|other| other == name).unwrap();
        assert!(position("hallpass-core") < position("hallpass-tower"));
        assert!(position("hallpass-tower") < position("hallpass-axum"));
        assert!(position("hallpass-axum") < position("hallpass"));
        assert_eq!(order.len(), packages.len());
    }

    #[test]
    fn changelog_needs_the_version_a_date_and_nothing_unreleased() {
        let good = "## [Unreleased]\n\n## [0.2.0] - 2027-01-31\n\n- More\n";
        assert_eq!(changelog_finding(good, "0.2.0"), None);
        for (bad, said) in [
            ("## [Unreleased]\n\n- More\n", "no heading"),
            ("## [Unreleased]\n\n## [0.1.0] - 2027-01-31\n", "no heading"),
            ("## [0.2.0] - soon\n", "no heading"),
            ("## [Unreleased]\n\n- More\n\n## [0.2.0] - 2027-01-31\n", "under Unreleased"),
        ] {
            let finding = changelog_finding(bad, "0.2.0").unwrap_or_default();
            assert!(finding.contains(said), "{bad:?}: {finding}");
        }
    }
}
