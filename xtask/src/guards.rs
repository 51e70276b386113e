//! `cargo xtask guards`: removes each safety step from a copy of the source, one at a time, and
//! requires that the test of the step fails.
//!
//! The steps are listed in `tests/guards/*.toml`. A row is caught if its test was run and failed.
//! A race does not show in every run, so a test that passes is run again a few times. It is an
//! error of the row if its text does not occur exactly once, if the mutated source does
//! not compile, or if no test of that name exists.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::{fs, iter, thread};

use anyhow::{Context, Result, ensure};
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
#[derive(Clone, Deserialize)]
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

/// How many rows were caught, and the names of those that were not.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) caught: u32,
    pub(crate) failed: Vec<String>,
}

/// The number of copies of the source. Building and running one row hardly ever uses more than one
/// processor.
const COPIES: usize = 2;

/// How often a test may pass without its step before the row is not caught.
const ATTEMPTS: usize = 5;

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
    let total = guards.len();
    let rows = thread::scope(|scope| {
        let shares: Vec<_> = (0..)
            .zip(shares(guards))
            .map(|(number, guards)| scope.spawn(move || run_share(workspace, number, &guards)))
            .collect();
        let rows = shares.into_iter().map(|share| share.join().expect("no row panics"));
        rows.collect::<Result<Vec<_>>>()
    })?;
    let (mut outcome, mut summary) = (Outcome::default(), Vec::new());
    for (guard, caught) in rows.into_iter().flatten() {
        let problem = match caught {
            Ok(true) => {
                outcome.caught += 1;
                continue;
            }
            Ok(false) => format!(
                "NOT CAUGHT  {}: `{}` passes, although {}",
                guard.name, guard.test, guard.without
            ),
            Err(error) => format!("ERROR       {}: {error:#}", guard.name),
        };
        summary.push(problem);
        outcome.failed.push(guard.name);
    }
    println!();
    summary.iter().for_each(|line| println!("{line}"));
    println!("{} of {total} guards are caught by their tests", outcome.caught);
    Ok(outcome)
}

/// Divides the rows into [`COPIES`] shares. The rows of one package stay together, because each
/// copy has to build what its packages need.
fn shares(guards: Vec<Guard>) -> Vec<Vec<Guard>> {
    let mut packages: BTreeMap<String, Vec<Guard>> = BTreeMap::new();
    for guard in guards {
        packages.entry(guard.package.clone()).or_default().push(guard);
    }
    let mut packages: Vec<_> = packages.into_values().collect();
    packages.sort_by_key(|guards| Reverse(guards.len()));
    let mut shares: Vec<Vec<Guard>> = iter::repeat_with(Vec::new).take(COPIES).collect();
    for guards in packages {
        let smallest = shares.iter_mut().min_by_key(|share| share.len());
        smallest.expect("there is a share").extend(guards);
    }
    shares.retain(|share| !share.is_empty());
    shares
}

/// Runs rows in a copy of their own.
fn run_share(
    workspace: &Workspace,
    number: usize,
    guards: &[Guard],
) -> Result<Vec<(Guard, Result<bool>)>> {
    let copy = SourceCopy::make(workspace, &format!("guards/{number}"))?;
    let row = |guard: &Guard| {
        let mut output = String::new();
        let caught = copy.is_caught(workspace, guard, &mut output);
        // The failing tests of a row that is caught would hide the output of one that is not.
        match caught {
            Ok(true) => println!("caught: {}", guard.name),
            _ => println!("\n-- {}\n{output}", guard.name),
        }
        (guard.clone(), caught)
    };
    Ok(guards.iter().map(row).collect())
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
    fn is_caught(&self, workspace: &Workspace, guard: &Guard, output: &mut String) -> Result<bool> {
        let file = self.root.join(&guard.file);
        let source = fs::read_to_string(&file).with_context(|| guard.file.to_string())?;
        let mutated = mutate(&source, &guard.find, &guard.replace)?;
        fs::write(&file, mutated)?;
        let failed = self.test_fails(workspace, guard, output);
        fs::write(&file, source)?;
        failed
    }

    fn test_fails(
        &self,
        workspace: &Workspace,
        guard: &Guard,
        output: &mut String,
    ) -> Result<bool> {
        let mut arguments = vec!["test", "--package", &guard.package];
        match &guard.target {
            Some(target) => arguments.extend(["--test", target]),
            None => arguments.push("--lib"),
        }
        let cargo = |more: &[&str], output: &mut String| {
            let mut command = self.cargo(workspace, arguments.iter().chain(more));
            command.env("RUST_BACKTRACE", "0");
            process::run_captured(&mut command, output)
        };
        // Warnings about code that the mutation leaves unused are irrelevant.
        ensure!(cargo(&["--no-run", "--quiet"], output)?, "the mutated source does not compile");
        for _ in 0..ATTEMPTS {
            let mut run = String::new();
            let passed = cargo(&["--", &guard.test], &mut run)?;
            output.push_str(&run);
            ensure!(run.lines().any(announces_tests), "no test `{}` ran", guard.test);
            if !passed {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Replaces the one occurrence of a text.
fn mutate(source: &str, find: &str, replace: &str) -> Result<String> {
    let occurrences = source.matches(find).count();
    ensure!(occurrences == 1, "`find` occurs {occurrences} times, not once");
    Ok(source.replacen(find, replace, 1))
}

/// Returns whether a line of libtest's output announces at least one test.
fn announces_tests(line: &str) -> bool {
    line.strip_prefix("running ")
        .and_then(|line| line.split_once(' '))
        .and_then(|(number, _)| number.parse::<u32>().ok())
        .is_some_and(|number| number > 0)
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
    fn rows_of_one_package_stay_together() {
        let guard = |package: &str| Guard {
            name: String::new(),
            file: Utf8PathBuf::new(),
            find: String::new(),
            replace: String::new(),
            package: package.to_owned(),
            test: String::new(),
            target: None,
            without: String::new(),
        };
        let packages = |share: &Vec<Guard>| {
            share.iter().map(|guard| guard.package.clone()).collect::<Vec<_>>().concat()
        };
        let guards = ["a", "b", "a", "c", "a", "b"].map(guard);
        let divided: Vec<_> = shares(guards.into()).iter().map(packages).collect();
        assert_eq!(divided, ["aaa", "bbc"]);
        assert_eq!(shares(vec![guard("a")]).len(), 1);
    }

    #[test]
    fn line_of_libtest_shows_whether_a_test_runs() {
        assert_eq!(
            ["running 1 test", "running 12 tests", "running 0 tests", "test a ... ok"]
                .map(announces_tests),
            [true, true, false, false]
        );
    }
}
