//! `cargo xtask test`: runs all checks, each as a step, and prints a summary.

mod beside;
mod counts;
mod deny;
#[cfg(test)]
mod front_page;
mod libtest;
mod modules;
mod node;
mod packages;
mod prose;
mod rust;
mod summary;
mod tree;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Instant;
use std::{env, fs};

use anyhow::Result;
use cargo_metadata::camino::Utf8PathBuf;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use self::beside::Beside;
use self::summary::{Row, Summary};
use crate::workspace::Workspace;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The steps to run, in this order [default: all]
    #[arg(value_name = "STEP")]
    steps: Vec<Step>,
    /// Write the outcomes to this file as JSON, and print no summary
    #[arg(long, hide = true)]
    rows: Option<Utf8PathBuf>,
}

/// The queue of the guards.
const GUARDS: &str = "guards";

/// When a step runs if all of them do.
#[derive(PartialEq)]
enum Phase {
    /// Before the others, one after the other.
    First,
    /// After those, one after the other.
    Main,
    /// At the same time as the main steps, in target folders of their own. The steps of the queue
    /// of this name run one after the other. The guards start after the step `tests`.
    Beside(&'static str),
}

/// The steps. Those of one phase run in this order: cheap ones first, then so that they share
/// builds.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Step {
    /// The code is formatted
    Fmt,
    /// No file is too long or names a path of one machine, no code is unfinished, the prose is
    /// plain
    Tree,
    /// All tests, examples and programs are built, and the servers for the tests are installed
    Build,
    /// Unit, property, integration and end-to-end tests
    Tests,
    /// The tests of the stores over TLS, with drivers that are built with TLS
    Tls,
    /// The tests of the pages in a real browser
    Browser,
    /// The tests of the examples with real clients of the systems that they imitate
    Clients,
    /// The examples in the documentation, the README and the guide
    Doctests,
    /// The compiler and clippy report no warning
    Clippy,
    /// Rustdoc reports no warning, the lists in `docs/public-api` are up to date, and the facade
    /// re-exports all types
    Docs,
    /// Each example compiles with the features that it names
    Examples,
    /// Each safety step is removed from a copy of the source, and its test fails
    Guards,
    /// Each published crate compiles from its package with the oldest dependencies that it allows:
    /// without features, with each feature alone and with all
    Packages,
    /// One request takes no more instructions than in the baseline in `benches/instructions`
    Instructions,
    /// The dependencies have allowed licences and sources, and none is banned
    Deny,
    /// The dependencies have no known vulnerabilities. Not checked without network
    Advisories,
}

/// The result of a step that ran. A step that could not run is an error instead.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Found {
    passed: u32,
    failed: u32,
    /// A remark for the summary.
    note: String,
}

impl Found {
    /// Returns the result of a single check that passed.
    fn passed() -> Self {
        Self { passed: 1, ..Self::default() }
    }

    /// Returns the result of a step that could not find anything out, with the reason.
    fn not_checked(note: &str) -> Self {
        Self { note: note.to_owned(), ..Self::default() }
    }
}

/// Runs all steps, even if earlier ones fail.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let mut summary = Summary::default();
    if arguments.rows.is_some() {
        beside::lower_priority(&arguments.steps)?;
    }
    if arguments.steps.is_empty() {
        run_all(workspace, &mut summary)?;
    } else {
        run_in_turn(workspace, &arguments.steps, &mut summary);
    }
    match &arguments.rows {
        Some(file) => fs::write(file, serde_json::to_vec(&summary)?)?,
        None => print!("\n{summary}"),
    }
    Ok(if summary.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_all(workspace: &Workspace, summary: &mut Summary) -> Result<()> {
    let steps = |phase| -> Vec<_> {
        Step::value_variants().iter().copied().filter(|step| step.phase() == phase).collect()
    };
    // The first steps may build this program again, and then its path cannot be found any more.
    let program = env::current_exe()?;
    run_in_turn(workspace, &steps(Phase::First), summary);
    let started = Instant::now();
    let start =
        |queue| (queue, Beside::start(workspace, &program, queue, &steps(Phase::Beside(queue))));
    let queues: BTreeSet<_> =
        Step::value_variants().iter().filter_map(|step| step.queue()).collect();
    // The guards start many servers, and so do the tests. Each process of PostgreSQL is a session
    // of its own, to which Linux may give as much processor time as to all tests together, whatever
    // its priority is. So beside the guards, tests could miss the deadlines of the stores.
    let at_once = queues.into_iter().filter(|queue| *queue != GUARDS);
    let mut beside: Vec<_> = at_once.map(start).collect();
    for step in steps(Phase::Main) {
        run_in_turn(workspace, &[step], summary);
        if step == Step::Tests {
            beside.push(start(GUARDS));
        }
    }
    for (queue, beside) in beside {
        match beside.and_then(Beside::finish) {
            Ok(rows) => rows.into_iter().for_each(|row| summary.add(row)),
            Err(error) => summary.add(Row::new(queue.into(), started.elapsed(), Err(error))),
        }
    }
    Ok(())
}

fn run_in_turn(workspace: &Workspace, steps: &[Step], summary: &mut Summary) {
    for step in steps {
        let name = step.name();
        println!("\n== {name}");
        let started = Instant::now();
        let found = step.run(workspace);
        if let Err(error) = &found {
            println!("{name}: {error:#}");
        }
        summary.add(Row::new(name, started.elapsed(), found));
    }
}

fn guards(workspace: &Workspace) -> Result<Found> {
    let outcome = crate::guards::run(workspace, &crate::guards::Arguments::default())?;
    let failed = u32::try_from(outcome.failed.len())?;
    Ok(Found { passed: outcome.caught, failed, note: outcome.failed.join(", ") })
}

fn instructions(workspace: &Workspace) -> Result<Found> {
    let (cases, note) = crate::instructions::check(workspace)?;
    let cases = u32::try_from(cases)?;
    Ok(Found { passed: cases, note, ..Found::default() })
}

fn docs(workspace: &Workspace) -> Result<Found> {
    let lists = crate::public_api::check(workspace)?;
    Ok(Found { note: format!("{lists} lists"), ..Found::passed() })
}

impl Step {
    fn name(self) -> String {
        self.to_possible_value().expect("no step is hidden").get_name().to_owned()
    }

    fn phase(self) -> Phase {
        match self {
            Self::Fmt | Self::Tree | Self::Build => Phase::First,
            Self::Tests
            | Self::Tls
            | Self::Browser
            | Self::Clients
            | Self::Doctests
            | Self::Clippy
            | Self::Docs
            | Self::Examples => Phase::Main,
            // The guards need the servers that `Build` installs.
            Self::Guards => Phase::Beside(GUARDS),
            Self::Packages => Phase::Beside("packages"),
            Self::Instructions | Self::Deny | Self::Advisories => Phase::Beside("others"),
        }
    }

    fn queue(self) -> Option<&'static str> {
        match self.phase() {
            Phase::Beside(queue) => Some(queue),
            Phase::First | Phase::Main => None,
        }
    }

    fn run(self, workspace: &Workspace) -> Result<Found> {
        match self {
            Self::Fmt => rust::fmt(workspace),
            Self::Tree => tree::check(workspace),
            Self::Build => rust::build(workspace),
            Self::Tests => rust::tests(workspace),
            Self::Tls => rust::tls(workspace),
            Self::Browser => node::browser(workspace),
            Self::Clients => node::clients(workspace),
            Self::Doctests => rust::doctests(workspace),
            Self::Clippy => rust::clippy(workspace),
            Self::Docs => docs(workspace),
            Self::Examples => rust::examples(workspace),
            Self::Packages => packages::check(workspace),
            Self::Guards => guards(workspace),
            Self::Instructions => instructions(workspace),
            Self::Deny => deny::check(workspace),
            Self::Advisories => deny::advisories(workspace),
        }
    }
}
