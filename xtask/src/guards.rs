//! `cargo xtask guards`: removes each safety step from a copy of the source, one at a time, and
//! requires that the test of the step fails.
//!
//! The steps are listed in `tests/guards/*.toml`. A row is caught if its test was run and failed.
//! A race does not show in every run, so a test that passes is run again a few times. It is an
//! error of the row if its text does not occur exactly once, if the mutated source does
//! not compile, or if no test of that name exists.

use std::fs;

use anyhow::{Context, Result, ensure};
use cargo_metadata::Message;
use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use crate::process;
use crate::source_copy::{self, SourceCopy};
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
    /// The integration test target.
    target: String,
    /// What happens without the step.
    without: String,
}

/// How many rows were caught, and the names of those that were not.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) caught: u32,
    pub(crate) failed: Vec<String>,
}

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
    let copy = SourceCopy::make(workspace, "guards")?;
    source_copy::share_dependencies(workspace, &copy.target)?;
    let (mut outcome, mut summary) = (Outcome::default(), Vec::new());
    for guard in guards {
        let mut output = String::new();
        let problem = match copy.is_caught(workspace, &guard, &mut output) {
            Ok(true) => {
                println!("caught: {}", guard.name);
                outcome.caught += 1;
                continue;
            }
            Ok(false) => format!(
                "NOT CAUGHT  {}: `{}` passes, although {}",
                guard.name, guard.test, guard.without
            ),
            Err(error) => format!("ERROR       {}: {error:#}", guard.name),
        };
        // Only this output is printed: the failing tests of the other rows would hide it.
        println!("\n-- {}\n{output}", guard.name);
        summary.push(problem);
        outcome.failed.push(guard.name);
    }
    println!();
    summary.iter().for_each(|line| println!("{line}"));
    println!("{} of {total} guards are caught by their tests", outcome.caught);
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
        let (program, folder) = self.test_program(workspace, guard)?;
        for _ in 0..ATTEMPTS {
            let mut command = workspace.command(&program);
            command.current_dir(&folder).arg(&guard.test).env("RUST_BACKTRACE", "0");
            let mut run = String::new();
            let passed = process::run_captured(&mut command, &mut run)?;
            output.push_str(&run);
            ensure!(run.lines().any(announces_tests), "no test `{}` ran", guard.test);
            if !passed {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Builds the test program of a guard. Returns its path and the folder of its package.
    fn test_program(
        &self,
        workspace: &Workspace,
        guard: &Guard,
    ) -> Result<(Utf8PathBuf, Utf8PathBuf)> {
        let mut build = self.cargo(workspace, ["test", "--no-run", "--quiet"]);
        // Each row changes a few lines, even where the other steps build everything from nothing.
        build.env("CARGO_INCREMENTAL", "1").arg("--message-format=json-render-diagnostics");
        // With the features of the whole workspace, dependencies are built only once. Another
        // package may have a target of this name, which is then built for nothing.
        build.args(workspace.everything()).args(["--test", &guard.target]);
        let built = build.output()?;
        let errors = String::from_utf8_lossy(&built.stderr);
        ensure!(built.status.success(), "the mutated source does not compile: {errors}");
        let package = workspace.package(&guard.package)?;
        let manifest = self.root.join(package.manifest_path.strip_prefix(workspace.root())?);
        let programs = Message::parse_stream(&*built.stdout).filter_map(|message| match message {
            Ok(Message::CompilerArtifact(built))
                if built.profile.test && built.manifest_path == manifest =>
            {
                built.executable
            }
            _ => None,
        });
        let program = programs
            .last()
            .with_context(|| format!("{} has no such test target", guard.package))?;
        Ok((program, manifest.with_file_name("")))
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
    fn line_of_libtest_shows_whether_a_test_runs() {
        assert_eq!(
            ["running 1 test", "running 12 tests", "running 0 tests", "test a ... ok"]
                .map(announces_tests),
            [true, true, false, false]
        );
    }
}
