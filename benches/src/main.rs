//! What a check costs: `cargo xtask bench`.
//!
//! One process and one thread: the cases of a benchmark take turns, round after round, and are
//! timed by the thread's own CPU clock, so that what else the machine does weighs on all of them
//! alike. Ratios between cases of one run are what counts; nanoseconds belong to the machine.

mod harness;
mod layer;
mod report;

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
    #[arg(long, default_value_t = 101, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// The folder that `NAME.json` is written to
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    out: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// The layer beside no layer, on a store in memory, and the parts of a check by themselves
    Layer,
}

impl Name {
    fn bench(self) -> Result<Bench> {
        match self {
            Self::Layer => layer::bench(),
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
        let measured = bench.bench()?.measure(arguments.rounds)?;
        println!("{name}, {} rounds\n\n{measured}", arguments.rounds);
        let path = arguments.out.join(name).with_extension("json");
        measured.write(&path)?;
        println!("written to {}\n", path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_benchmark_runs_and_its_cases_answer_as_they_should() {
        for name in Name::value_variants() {
            name.bench().unwrap().measure(1).unwrap();
        }
    }
}
