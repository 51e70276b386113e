//! `cargo xtask test`: every check there is, each a step, and a summary.

mod counts;
mod deny;
mod features;
mod fuzz;
mod libtest;
mod minimal;
mod modules;
mod node;
mod prose;
mod rust;
mod summary;
mod tree;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::ValueEnum;

use self::summary::{Row, Summary};
use crate::workspace::Workspace;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which steps to run; all of them, in this order, if none is named
    #[arg(value_name = "STEP")]
    steps: Vec<Step>,
}

/// The cheap ones first, and then in an order in which one uses what another has built.
#[derive(Clone, Copy, ValueEnum)]
enum Step {
    /// The code is formatted
    Fmt,
    /// No long file, no path of one machine, nothing unfinished or switched off, plain prose
    Tree,
    /// Unit, property, integration and end-to-end tests
    Tests,
    /// The stores over TLS, which has a workspace of its own
    Tls,
    /// The pages, in a real browser
    Browser,
    /// The examples, by real clients of the systems they are like
    Clients,
    /// The examples in the documentation, the README and the guide
    Doctests,
    /// No warning from the compiler or from clippy
    Clippy,
    /// No warning from rustdoc
    Docs,
    /// The public items are those that `docs/public-api` lists, and the facade names them all
    PublicApi,
    /// Each published crate with each of its features alone, with none and with all
    Features,
    /// The libraries compile with the oldest dependencies that they allow
    Minimal,
    /// Each crate can be published: it builds from what would be uploaded
    Publish,
    /// Each fuzz target for a few seconds; `cargo xtask fuzz` goes on for longer
    Fuzz,
    /// Each safety step is removed from a copy of the source, and its test fails
    Guards,
    /// One request takes no more instructions than the baseline in `benches/instructions` says
    Instructions,
    /// Licences, banned crates and sources of the dependencies
    Deny,
    /// Known vulnerabilities in the dependencies, where the database can be had
    Advisories,
}

/// What a step found. A step that could not run is an error instead.
#[derive(Debug, Default, PartialEq)]
struct Found {
    passed: u32,
    failed: u32,
    /// What a reader of the summary should know.
    note: String,
}

impl Found {
    /// One check, and it passed.
    fn passed() -> Self {
        Self { passed: 1, ..Self::default() }
    }

    /// Nothing was found out, and why.
    fn not_checked(note: &str) -> Self {
        Self { note: note.to_owned(), ..Self::default() }
    }
}

/// Runs the steps, each whether or not those before it passed.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> ExitCode {
    let steps = match &*arguments.steps {
        [] => Step::value_variants(),
        named => named,
    };
    let mut summary = Summary::default();
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
    print!("\n{summary}");
    if summary.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn guards(workspace: &Workspace) -> Result<Found> {
    let outcome = crate::guards::run(workspace, &crate::guards::Arguments::default())?;
    Ok(Found { passed: outcome.caught, failed: outcome.failed, note: String::new() })
}

fn instructions(workspace: &Workspace) -> Result<Found> {
    let (cases, note) = crate::instructions::check(workspace)?;
    let cases = u32::try_from(cases)?;
    Ok(Found { passed: cases, note, ..Found::default() })
}

fn public_api(workspace: &Workspace) -> Result<Found> {
    let lists = crate::public_api::check(workspace)?;
    Ok(Found { note: format!("{lists} lists"), ..Found::passed() })
}

impl Step {
    fn name(self) -> String {
        self.to_possible_value().expect("no step is hidden").get_name().to_owned()
    }

    fn run(self, workspace: &Workspace) -> Result<Found> {
        match self {
            Self::Fmt => rust::fmt(workspace),
            Self::Tree => tree::check(workspace),
            Self::Tests => rust::tests(workspace),
            Self::Tls => rust::tls(workspace),
            Self::Browser => node::browser(workspace),
            Self::Clients => node::clients(workspace),
            Self::Doctests => rust::doctests(workspace),
            Self::Clippy => rust::clippy(workspace),
            Self::Docs => rust::docs(workspace),
            Self::PublicApi => public_api(workspace),
            Self::Features => features::check(workspace),
            Self::Minimal => minimal::check(workspace),
            Self::Publish => rust::publish(workspace),
            Self::Fuzz => fuzz::check(workspace),
            Self::Guards => guards(workspace),
            Self::Instructions => instructions(workspace),
            Self::Deny => deny::check(workspace),
            Self::Advisories => deny::advisories(workspace),
        }
    }
}
