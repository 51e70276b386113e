//! What a check costs: `cargo xtask bench`.
//!
//! The cases of a benchmark take turns, round after round, so that what else the machine does weighs on all of them
//! alike; where one thread does the work, its own CPU clock times it. Ratios between cases of one run are what
//! counts; nanoseconds belong to the machine. `NAME.json` is what documentation takes its figures from.
//!
//! The allocator of this process counts by thread, which costs a few nanoseconds for each allocation and release, in all
//! cases alike: whoever allocates less is favoured by as much.
//!
//! modo-rs, whose `ApiKeyLayer` asks a database per request, is not among the peers: it has no features to choose from, and
//! brings a whole framework (mail, error reporting, templates) and a second SQLite in C beside the one of this workspace.

mod cache;
mod e2e;
mod harness;
mod host;
mod hot;
mod load;
mod ours;
mod peers;
mod random;
mod report;
mod traffic;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};

use crate::harness::Bench;

#[derive(Parser)]
#[command(about = "What a check costs")]
struct Arguments {
    /// Which benchmark; all of them if none is named
    name: Option<Name>,
    /// How often each case is measured; more rounds, steadier medians
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// The folder that `NAME.json` is written to
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    out: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// What a check of a token that is known already adds to a request, beside what others do
    Hot,
    /// Requests per second over loopback sockets, beside what others do
    E2e,
    /// Hit ratios, floods, stampedes, memory, threads
    Cache,
}

/// How much there is to do.
#[derive(Clone, Copy)]
enum Scale {
    Full,
    /// Enough to see that everything works.
    #[cfg(test)]
    Small,
}

impl Scale {
    /// So many tokens, requests or whatever.
    fn of(self, full: usize) -> usize {
        match self {
            Self::Full => full,
            #[cfg(test)]
            Self::Small => (full / 100).max(2),
        }
    }
}

impl Name {
    fn bench(self, scale: Scale) -> Result<Bench> {
        match self {
            Self::Hot => hot::bench(scale),
            Self::E2e => e2e::bench(scale),
            Self::Cache => cache::bench(scale),
        }
    }

    /// As many rounds as make a minute or so.
    fn usual_rounds(self) -> u32 {
        match self {
            Self::Hot => 101,
            Self::E2e => 75,
            Self::Cache => 201,
        }
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hallpass-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let benches = match &arguments.name {
        Some(name) => std::slice::from_ref(name),
        None => Name::value_variants(),
    };
    for bench in benches {
        let value = bench.to_possible_value().expect("no benchmark is hidden");
        let name = value.get_name();
        let rounds = arguments.rounds.unwrap_or_else(|| bench.usual_rounds());
        let measured = bench.bench(Scale::Full)?.measure(rounds)?;
        println!("{name}, {rounds} rounds\n\n{measured}");
        let path = arguments.out.join(name).with_extension("json");
        measured.write(&path)?;
        println!("written to {}\n", path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn the_benchmark_runs(name: Name) {
        name.bench(Scale::Small).unwrap().measure(1).unwrap();
    }

    #[test]
    fn hot_runs_and_its_cases_answer_as_they_should() {
        the_benchmark_runs(Name::Hot);
    }

    #[test]
    fn e2e_runs_and_its_servers_answer_as_they_should() {
        the_benchmark_runs(Name::E2e);
    }

    #[test]
    fn cache_runs_and_its_checks_answer_as_they_should() {
        the_benchmark_runs(Name::Cache);
    }
}
