//! The commands for developers of this repository, such as `cargo xtask test`.

mod bench;
mod fuzz;
mod guards;
mod instructions;
mod process;
mod public_api;
mod release;
mod source_copy;
mod test;
mod tool;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Runs the tasks of this repository"
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run all checks or the named ones, and print a summary
    Test(test::Arguments),
    /// Run the fuzz targets, which compare each parser with an oracle
    Fuzz(fuzz::Arguments),
    /// Remove each safety step from a copy of the source, and require that its test fails
    Guards(guards::Arguments),
    /// Update the list of the libraries' public items in `docs/public-api`
    PublicApi,
    /// Check that a version can be released, and print the steps
    Release(release::Arguments),
    /// Count the instructions of one request, and replace the baseline in `benches/instructions`
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
        Task::Test(arguments) => test::run(&workspace, &arguments),
        Task::Fuzz(arguments) => fuzz::run(&workspace, &arguments),
        Task::Guards(arguments) => guards::run(&workspace, &arguments).map(|outcome| {
            if outcome.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }),
        Task::PublicApi => public_api::write(&workspace).map(|()| ExitCode::SUCCESS),
        Task::Release(arguments) => release::run(&workspace, &arguments),
        Task::Instructions => instructions::write(&workspace).map(|()| ExitCode::SUCCESS),
        Task::Bench(arguments) => bench::run(&workspace, &arguments),
    }
}
