//! `cargo xtask guards`: removes each safety step from a copy of the source, one at a time, and
//! requires that the test of the step fails.
//!
//! The steps are listed in `tests/guards/*.toml`. A row is caught if its test was run and failed.
//! A race does not show in every run, so a test that passes is run again a few times. It is an
//! error of the row if its text does not occur exactly once, if the mutated source does
//! not compile, or if no test of that name exists. The tests first have to pass while no step is
//! removed.
//!
//! Most rows share one build, in which an environment variable removes a step (see [`switches`]).
//! The others, such as those in Lua and SQL, have a build of their own.

mod switches;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;

use anyhow::{Context, Result, anyhow, bail, ensure};
use cargo_metadata::Message;
use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use self::switches::{Change, VARIABLE, add_switches};
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

/// How often a test may pass without its step before the row is not caught, and how often it may
/// fail with all steps before the row is an error.
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
    let shared = copy.shared_build(workspace, &guards).unwrap_or_else(|error| {
        println!("the guards cannot share a build, so each has its own: {error:#}");
        SharedBuild::default()
    });
    println!("{} of {total} guards share a build", shared.switches.len());
    let unsound = shared.failing_programs(workspace, &guards)?;
    // A build for one row replaces the programs that the others share.
    guards.sort_by_key(|guard| !shared.switches.contains(&guard.name));
    let (mut outcome, mut summary) = (Outcome::default(), Vec::new());
    for guard in guards {
        let mut output = String::new();
        let caught = match shared.programs.get(&guard.name) {
            Some(program) if unsound.contains(&program.path) => {
                Err(anyhow!("its tests fail although no step is removed, see above"))
            }
            Some(program) if shared.switches.contains(&guard.name) => {
                program.test_fails(workspace, &guard, &mut output)
            }
            _ => copy.is_caught(workspace, &guard, &mut output),
        };
        let problem = match caught {
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
    unique_names(&guards)?;
    Ok(guards)
}

/// Checks that no two rows have the same name, which is the value of [`VARIABLE`].
fn unique_names(guards: &[Guard]) -> Result<()> {
    let mut names = BTreeSet::new();
    for Guard { name, .. } in guards {
        ensure!(names.insert(name), "two rows of tests/guards have the name `{name}`");
    }
    Ok(())
}

/// The build in which most guards have a switch.
#[derive(Default)]
struct SharedBuild {
    /// The test program of each guard.
    programs: BTreeMap<String, TestProgram>,
    /// The names of the guards that have a switch.
    switches: BTreeSet<String>,
}

impl SharedBuild {
    /// Runs the tests of all guards while no step is removed. Returns the programs in which one
    /// fails: a test that always fails would seem to catch its guard.
    fn failing_programs(
        &self,
        workspace: &Workspace,
        guards: &[Guard],
    ) -> Result<BTreeSet<Utf8PathBuf>> {
        let mut tests: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for guard in guards {
            if let Some(TestProgram { path, folder }) = self.programs.get(&guard.name) {
                tests.entry((path, folder)).or_default().insert(&guard.test);
            }
        }
        let mut failing = BTreeSet::new();
        for ((path, folder), tests) in tests {
            let mut output = String::new();
            let mut passed = false;
            for _ in 0..ATTEMPTS {
                let mut command = workspace.command(path);
                command.current_dir(folder).args(&tests).env("RUST_BACKTRACE", "0");
                passed = process::run_captured(&mut command, &mut output)?;
                if passed {
                    break;
                }
            }
            if !passed {
                println!("{output}");
                failing.insert(path.clone());
            }
        }
        Ok(failing)
    }
}

/// The test program of a row, and the folder of its package.
struct TestProgram {
    path: Utf8PathBuf,
    folder: Utf8PathBuf,
}

impl TestProgram {
    /// Returns whether the test of a guard fails without it.
    fn test_fails(
        &self,
        workspace: &Workspace,
        guard: &Guard,
        output: &mut String,
    ) -> Result<bool> {
        for _ in 0..ATTEMPTS {
            let mut command = workspace.command(&self.path);
            command.current_dir(&self.folder).arg(&guard.test).env("RUST_BACKTRACE", "0");
            command.env(VARIABLE, &guard.name);
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
}

impl SourceCopy {
    /// Builds the program without the step of a guard, and returns whether the test fails.
    fn is_caught(&self, workspace: &Workspace, guard: &Guard, output: &mut String) -> Result<bool> {
        let file = self.root.join(&guard.file);
        let source = fs::read_to_string(&file).with_context(|| guard.file.to_string())?;
        let place = place(&source, &guard.find)?;
        let mut mutated = source.clone();
        mutated.replace_range(place, &guard.replace);
        fs::write(&file, mutated)?;
        let programs = self.test_programs(workspace, &[guard]);
        fs::write(&file, source)?;
        programs?[&guard.name].test_fails(workspace, guard, output)
    }

    /// Builds the test programs of all guards, with a switch for each guard that can have one.
    fn shared_build(&self, workspace: &Workspace, guards: &[Guard]) -> Result<SharedBuild> {
        let mut files: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for guard in guards.iter().filter(|guard| guard.file.extension() == Some("rs")) {
            files.entry(self.root.join(&guard.file)).or_default().push(guard);
        }
        let (mut switches, mut originals) = (BTreeSet::new(), Vec::new());
        for (file, guards) in files {
            // A file or a text that does not exist is reported with its row.
            let Ok(source) = fs::read_to_string(&file) else { continue };
            let changes = guards.into_iter().filter_map(|Guard { name, find, replace, .. }| {
                let place = place(&source, find).ok()?;
                Some(Change { name, place, replacement: replace })
            });
            let file_with_switches = add_switches(&source, &changes.collect::<Vec<_>>());
            switches.extend(file_with_switches.names);
            originals.push((file, source, file_with_switches.source));
        }
        for (file, _, with_switches) in &originals {
            fs::write(file, with_switches)?;
        }
        let programs = self.test_programs(workspace, &guards.iter().collect::<Vec<_>>());
        for (file, source, _) in &originals {
            fs::write(file, source)?;
        }
        Ok(SharedBuild { programs: programs?, switches })
    }

    /// Builds the test programs of guards, and returns them by the name of the guard.
    fn test_programs(
        &self,
        workspace: &Workspace,
        guards: &[&Guard],
    ) -> Result<BTreeMap<String, TestProgram>> {
        let mut build = self.cargo(workspace, ["test", "--no-run", "--quiet"]);
        // Rows with builds of their own change a few lines, even where the other steps build
        // everything from nothing.
        build.env("CARGO_INCREMENTAL", "1").arg("--message-format=json-render-diagnostics");
        // With the features of the whole workspace, dependencies are built only once. Another
        // package may have a target of this name, which is then built for nothing.
        build.args(workspace.everything());
        for target in guards.iter().map(|guard| &guard.target).collect::<BTreeSet<_>>() {
            build.args(["--test", target]);
        }
        let built = build.output()?;
        let errors = String::from_utf8_lossy(&built.stderr);
        ensure!(built.status.success(), "the mutated source does not compile: {errors}");
        let programs: Vec<_> = Message::parse_stream(&*built.stdout)
            .filter_map(|message| match message {
                Ok(Message::CompilerArtifact(built)) if built.profile.test => Some(built),
                _ => None,
            })
            .collect();
        let program = |guard: &&Guard| {
            let package = workspace.package(&guard.package)?;
            let manifest = self.root.join(package.manifest_path.strip_prefix(workspace.root())?);
            let path = programs
                .iter()
                .find(|built| built.manifest_path == manifest && built.target.name == guard.target)
                .and_then(|built| built.executable.clone())
                .with_context(|| format!("{} has no such test target", guard.package))?;
            let folder = manifest.with_file_name("");
            Ok((guard.name.clone(), TestProgram { path, folder }))
        };
        guards.iter().map(program).collect()
    }
}

/// Returns the place of the one occurrence of a text.
fn place(source: &str, find: &str) -> Result<Range<usize>> {
    let places: Vec<_> = source.match_indices(find).collect();
    let [(start, _)] = places[..] else { bail!("`find` occurs {} times, not once", places.len()) };
    Ok(start..start + find.len())
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
        assert_eq!(place("a && b", "&& b").unwrap(), 2..6);
        for source in ["a", "b && b && b"] {
            assert!(place(source, "&& b").is_err());
        }
    }

    #[test]
    fn two_rows_with_one_name_are_an_error() {
        let row = "[[guard]]\nname = 'a'\nfile = 'b'\nfind = ''\nreplace = ''\npackage = ''\n\
                   test = ''\ntarget = ''\nwithout = ''\n";
        let rows = |text: &str| toml::from_str::<List>(text).unwrap().guard;
        unique_names(&rows(row)).unwrap();
        let error = unique_names(&rows(&row.repeat(2))).unwrap_err().to_string();
        assert_eq!(error, "two rows of tests/guards have the name `a`");
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
