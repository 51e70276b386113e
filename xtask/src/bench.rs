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
    /// How many tokens `stores` grows each store to
    #[arg(long)]
    tokens: Option<u32>,
    /// Which store `revocation` and `stores` measure; all of them if none is named
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
