//! `cargo xtask bench`: the benchmarks live in the package `hallpass-bench`.

use std::process::ExitCode;

use anyhow::Result;

use crate::process;
use crate::workspace::Workspace;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The benchmark to run [default: all]. An unknown name prints the list
    name: Option<String>,
    /// The number of measurements of each case. More rounds give steadier medians
    #[arg(long)]
    rounds: Option<u32>,
    /// The number of tokens that `stores` writes to each store
    #[arg(long)]
    tokens: Option<u32>,
    /// The store that `revocation` and `stores` measure [default: all]
    #[arg(long)]
    store: Option<String>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let mut command = workspace.cargo(["run", "--release", "--package", "hallpass-bench", "--"]);
    command.args(&arguments.name).arg("--out").arg(workspace.target("bench"));
    let options = [
        ("--rounds", arguments.rounds.map(|rounds| rounds.to_string())),
        ("--tokens", arguments.tokens.map(|tokens| tokens.to_string())),
        ("--store", arguments.store.clone()),
    ];
    for (option, value) in options {
        if let Some(value) = value {
            command.arg(option).arg(value);
        }
    }
    process::run(&mut command)?;
    Ok(ExitCode::SUCCESS)
}
