//! What a person runs here: `cargo xtask test`, `cargo xtask fuzz` and `cargo xtask bench`.

mod bench;
mod fuzz;
mod guards;
mod instructions;
mod process;
mod public_api;
mod source_copy;
mod test;
mod tool;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "What a person runs here")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run the checks, all of them or those named, and sum them up
    Test(test::Arguments),
    /// Feed the parsers whatever bytes come, each for a while, and hold what they say against an
    /// oracle
    Fuzz(fuzz::Arguments),
    /// Remove each safety step from a copy of the source, and require that its test fails
    Guards(guards::Arguments),
    /// Update the list of the libraries' public items in `docs/public-api`
    PublicApi,
    /// Count what one request takes, and replace the baseline in `benches/instructions`
    Instructions,
    /// Measure, print a table and write it to `target/bench/NAME.json`
    Bench(bench::Arguments),
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::load()?;
    match task {
        Task::Test(arguments) => Ok(test::run(&workspace, &arguments)),
        Task::Fuzz(arguments) => fuzz::run(&workspace, &arguments),
        Task::Guards(arguments) => guards::run(&workspace, &arguments)
            .map(|outcome| if outcome.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
        Task::PublicApi => public_api::write(&workspace).map(|()| ExitCode::SUCCESS),
        Task::Instructions => instructions::write(&workspace).map(|()| ExitCode::SUCCESS),
        Task::Bench(arguments) => bench::run(&workspace, &arguments),
    }
}
