//! What a check costs: `cargo xtask bench`.
//!
//! The cases of a benchmark take turns, round after round, so that what else the machine does
//! weighs on all of them alike; where one thread does the work, its own CPU clock times it. Ratios
//! between cases of one run are what counts; nanoseconds belong to the machine. `NAME.json` is what
//! documentation takes its figures from.
//!
//! The allocator of this process counts by thread, which costs a few nanoseconds for each
//! allocation and release, in all cases alike: whoever allocates less is favoured by as much.
//!
//! modo-rs, whose `ApiKeyLayer` asks a database per request, is not among the peers: it has no
//! features to choose from, and brings a whole framework (mail, error reporting, templates) and a
//! second SQLite in C beside the one of this workspace.

mod cache;
mod e2e;
mod forward;
mod harness;
mod host;
mod hot;
mod latencies;
mod load;
mod ours;
mod peers;
mod random;
mod report;
mod revocation;
mod site;
mod stores;
mod traffic;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{Parser, ValueEnum};

use crate::harness::Measured;
use crate::site::Kind;

#[derive(Parser)]
#[command(about = "What a check costs")]
struct Arguments {
    /// Which benchmark; all of them if none is named
    name: Option<Name>,
    /// How often each case is measured; more rounds, steadier medians
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// How many tokens `stores` grows each store to
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    tokens: u32,
    /// Which store `revocation` and `stores` measure; all of them if none is named
    #[arg(long)]
    store: Option<Kind>,
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
    /// How long a revoked token is still accepted, on three nodes, on good days and bad ones
    Revocation,
    /// What tokens take in each store, and how long it takes to find, list, issue and prune them
    Stores,
}

/// What is measured store by store.
#[derive(Clone, Copy)]
struct Stores<'a> {
    kinds: &'a [Kind],
    /// How many tokens each grows to.
    tokens: usize,
}

impl Arguments {
    fn stores(&self) -> Stores<'_> {
        let kinds = self.store.as_ref().map_or(Kind::value_variants(), std::slice::from_ref);
        Stores { kinds, tokens: self.tokens as usize }
    }
}

/// How much there is to do.
#[derive(Clone, Copy)]
enum Scale {
    Full,
    /// Enough to see that everything works.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "benchmarks are run whole, tests of them are not")
    )]
    Small,
}

impl Scale {
    /// So many tokens, requests or whatever.
    fn of(self, full: usize) -> usize {
        self.either(full, (full / 100).max(2))
    }

    /// The one or the other.
    fn either<T>(self, full: T, small: T) -> T {
        match self {
            Self::Full => full,
            Self::Small => small,
        }
    }
}

impl Name {
    fn measure(self, scale: Scale, rounds: u32, stores: Stores<'_>) -> Result<Measured> {
        match self {
            Self::Hot => hot::bench(scale)?.measure(rounds),
            Self::E2e => e2e::bench(scale)?.measure(rounds),
            Self::Cache => cache::bench(scale)?.measure(rounds),
            Self::Revocation => revocation::measure(scale, rounds, stores.kinds),
            Self::Stores => stores::measure(scale, rounds, stores),
        }
    }

    /// As many rounds as make a minute or so; some more where each store has its turn.
    fn usual_rounds(self) -> u32 {
        match self {
            Self::Hot => 101,
            Self::E2e => 75,
            Self::Cache => 201,
            Self::Revocation => 1_000,
            Self::Stores => 10_000,
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
    let mut broken = Vec::new();
    for bench in benches {
        let value = bench.to_possible_value().expect("no benchmark is hidden");
        let name = value.get_name();
        let rounds = arguments.rounds.unwrap_or_else(|| bench.usual_rounds());
        let measured = bench.measure(Scale::Full, rounds, arguments.stores())?;
        println!("{name}, {rounds} rounds\n\n{measured}");
        let path = arguments.out.join(name).with_extension("json");
        measured.write(&path)?;
        println!("written to {}\n", path.display());
        broken.extend(measured.broken);
    }
    ensure!(broken.is_empty(), "not as promised:\n{}", broken.join("\n"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn the_benchmark_runs(name: Name) -> Measured {
        let stores = Stores { kinds: Kind::value_variants(), tokens: 2_000 };
        name.measure(Scale::Small, 1, stores).unwrap()
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

    #[test]
    fn revocation_runs_and_every_node_keeps_the_bound() {
        let measured = the_benchmark_runs(Name::Revocation);
        assert!(measured.broken.is_empty(), "{:?}", measured.broken);
    }

    #[test]
    fn stores_runs_and_every_token_is_found() {
        the_benchmark_runs(Name::Stores);
    }
}
