//! `cargo xtask bench`: the benchmarks live in the package `hallpass-bench`.

use std::process::ExitCode;

use anyhow::Result;

use crate::process;
use crate::workspace::Workspace;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which benchmark; all of them if none is named. An unknown name answers with the list
    name: Option<String>,
    /// How often each case is measured; more rounds, steadier medians
    #[arg(long)]
    rounds: Option<u32>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let mut command = workspace.cargo(["run", "--release", "--package", "hallpass-bench", "--"]);
    command.args(&arguments.name).arg("--out").arg(workspace.target("bench"));
    if let Some(rounds) = arguments.rounds {
        command.arg("--rounds").arg(rounds.to_string());
    }
    process::run(&mut command)?;
    Ok(ExitCode::SUCCESS)
}
