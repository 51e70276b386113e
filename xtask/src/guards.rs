//! `cargo xtask guards`: removes each safety step from a copy of the source, one at a time, and
//! requires that the test of the step fails.
//!
//! The steps are listed in `tests/guards/*.toml`. A row is caught if its test was run and failed.
//! It is an error of the row if its text does not occur exactly once, if the mutated source does
//! not compile, or if no test of that name exists.

use std::fs;

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use crate::process;
use crate::source_copy::SourceCopy;
use crate::workspace::Workspace;

#[derive(clap::Args, Default)]
pub(crate) struct Arguments {
    /// Run only the rows whose name, file or package contains this text
    filter: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    guard: Vec<Guard>,
}

/// A safety step, and how to remove it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Guard {
    name: String,
    file: Utf8PathBuf,
    find: String,
    replace: String,
    package: String,
    test: String,
    /// The integration test target; the library's own tests if there is none.
    target: Option<String>,
    /// What happens without the step.
    without: String,
}

/// How many rows were caught, and how many were not.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) caught: u32,
    pub(crate) failed: u32,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<Outcome> {
    let mut guards = read_lists(&workspace.root().join("tests/guards"))?;
    if let Some(filter) = &arguments.filter {
        guards.retain(|guard| {
            [guard.name.as_str(), guard.file.as_str(), &guard.package]
                .iter()
                .any(|text| text.contains(filter.as_str()))
        });
    }
    ensure!(!guards.is_empty(), "no row of tests/guards matches");
    let copy = SourceCopy::make(workspace, "guards")?;
    let (mut outcome, mut summary) = (Outcome::default(), Vec::new());
    for guard in &guards {
        println!("\n-- {}", guard.name);
        match copy.is_caught(workspace, guard) {
            Ok(true) => outcome.caught += 1,
            Ok(false) => {
                outcome.failed += 1;
                summary.push(format!(
                    "NOT CAUGHT  {}: `{}` passes, although {}",
                    guard.name, guard.test, guard.without
                ));
            }
            Err(error) => {
                outcome.failed += 1;
                summary.push(format!("ERROR       {}: {error:#}", guard.name));
            }
        }
    }
    println!();
    summary.iter().for_each(|line| println!("{line}"));
    println!("{} of {} guards are caught by their tests", outcome.caught, guards.len());
    Ok(outcome)
}

fn read_lists(folder: &Utf8Path) -> Result<Vec<Guard>> {
    let mut files: Vec<_> = folder.read_dir_utf8()?.collect::<Result<_, _>>()?;
    files.retain(|file| file.path().extension() == Some("toml"));
    files.sort_by(|one, two| one.path().cmp(two.path()));
    let mut guards = Vec::new();
    for file in files {
        let text = fs::read_to_string(file.path())?;
        let list: List = toml::from_str(&text).with_context(|| file.path().to_string())?;
        guards.extend(list.guard);
    }
    Ok(guards)
}

impl SourceCopy {
    /// Returns whether the test of a guard fails without it.
    fn is_caught(&self, workspace: &Workspace, guard: &Guard) -> Result<bool> {
        let file = self.root.join(&guard.file);
        let source = fs::read_to_string(&file).with_context(|| guard.file.to_string())?;
        let mutated = mutate(&source, &guard.find, &guard.replace)?;
        fs::write(&file, mutated)?;
        let failed = self.test_fails(workspace, guard);
        fs::write(&file, source)?;
        failed
    }

    fn test_fails(&self, workspace: &Workspace, guard: &Guard) -> Result<bool> {
        let mut arguments = vec!["test", "--package", &guard.package];
        match &guard.target {
            Some(target) => arguments.extend(["--test", target]),
            None => arguments.push("--lib"),
        }
        let cargo = |more: &[&str]| {
            let mut command = self.cargo(workspace, arguments.iter().chain(more));
            command.env("RUST_BACKTRACE", "0");
            command
        };
        // Warnings about code that the mutation leaves unused are irrelevant.
        ensure!(
            process::run_reading(&mut cargo(&["--no-run", "--quiet"]), |_| {})?,
            "the mutated source does not compile"
        );
        let mut run = 0;
        let passed = process::run_reading(&mut cargo(&["--", &guard.test]), |line| {
            run += tests_run(line);
        })?;
        if run == 0 {
            bail!("there is no test `{}`", guard.test);
        }
        Ok(!passed)
    }
}

/// Replaces the one occurrence of a text.
fn mutate(source: &str, find: &str, replace: &str) -> Result<String> {
    let occurrences = source.matches(find).count();
    ensure!(occurrences == 1, "`find` occurs {occurrences} times, not once");
    Ok(source.replacen(find, replace, 1))
}

/// Returns how many tests a line of libtest's output announces.
fn tests_run(line: &str) -> u32 {
    line.strip_prefix("running ")
        .and_then(|line| line.split_once(' '))
        .and_then(|(number, _)| number.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_must_occur_exactly_once() {
        assert_eq!(mutate("a && b", "&& b", "").unwrap(), "a ");
        for source in ["a", "b && b && b"] {
            assert!(mutate(source, "&& b", "").is_err());
        }
    }

    #[test]
    fn tests_are_counted_by_the_lines_of_libtest() {
        assert_eq!(
            ["running 1 test", "running 12 tests", "test a ... ok"].map(tests_run),
            [1, 12, 0]
        );
    }
}
