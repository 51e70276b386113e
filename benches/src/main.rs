//! Benchmarks, run by `cargo xtask bench`.
//!
//! The cases of a benchmark are measured in turn, round after round, so that other load on the
//! machine affects all of them equally. Cases that run on one thread are timed by its CPU clock.
//! Compare ratios between cases of one run: the nanoseconds depend on the machine. The
//! documentation takes its figures from `NAME.json`.
//!
//! The allocator of this process counts per thread. This costs a few nanoseconds for each
//! allocation and release in all cases, so code that allocates less has a small advantage.
//!
//! modo-rs, whose `ApiKeyLayer` queries a database for each request, is not among the peers. It
//! cannot be built without its whole framework (mail, error reporting, templates), and links a
//! second copy of SQLite.

mod backend;
mod cache;
mod e2e;
mod fixture;
mod forward;
mod harness;
mod host;
mod hot;
mod latencies;
mod load;
mod peers;
mod random;
mod report;
mod revocation;
mod stores;
mod traffic;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{Parser, ValueEnum};

use crate::backend::Kind;
use crate::harness::Measured;

#[derive(Parser)]
#[command(about = "Measures the cost of token checks")]
struct Arguments {
    /// The benchmark to run; all of them by default
    name: Option<Name>,
    /// The number of measurements of each case; more rounds give steadier medians
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// The number of tokens that `stores` fills each store with
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    tokens: u32,
    /// The store that `revocation` and `stores` measure; all of them by default
    #[arg(long)]
    store: Option<Kind>,
    /// The folder that `NAME.json` is written to
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    out: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// The time that a check of a cached token adds to a request, compared with other
    /// implementations
    Hot,
    /// Requests per second over loopback sockets, compared with other implementations
    E2e,
    /// Hit ratios, floods of unknown tokens, stampedes, memory and scaling of the cache
    Cache,
    /// How long three nodes still accept a revoked token, with and without faults
    Revocation,
    /// The size of tokens in each store, and the time to find, list, issue and prune them
    Stores,
}

/// The part of the settings that concerns stores.
#[derive(Clone, Copy)]
struct Stores<'a> {
    kinds: &'a [Kind],
    /// The number of tokens that each store is filled with.
    tokens: usize,
}

impl Arguments {
    fn stores(&self) -> Stores<'_> {
        let kinds = self.store.as_ref().map_or(Kind::value_variants(), std::slice::from_ref);
        Stores { kinds, tokens: self.tokens as usize }
    }
}

/// The amount of work.
#[derive(Clone, Copy)]
enum Scale {
    Full,
    /// A small amount that only shows that everything works.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "benchmarks are run whole, tests of them are not")
    )]
    Small,
}

impl Scale {
    /// Scales a number of tokens, requests or repetitions.
    fn of(self, full: usize) -> usize {
        self.either(full, (full / 100).max(2))
    }

    /// Selects a value by scale.
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

    /// Returns the default number of rounds, which take about a minute, or longer if several stores
    /// are measured.
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
    ensure!(broken.is_empty(), "promises were violated:\n{}", broken.join("\n"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn the_benchmark_runs(name: Name) -> Measured {
        let stores = Stores { kinds: Kind::value_variants(), tokens: 1_000 };
        name.measure(Scale::Small, 1, stores).unwrap()
    }

    #[test]
    fn hot_benchmark_runs_and_its_cases_are_correct() {
        the_benchmark_runs(Name::Hot);
    }

    #[test]
    fn e2e_benchmark_runs_and_its_servers_are_correct() {
        the_benchmark_runs(Name::E2e);
    }

    #[test]
    fn cache_benchmark_runs_and_its_checks_are_correct() {
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
