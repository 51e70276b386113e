//! `cargo xtask bench`: the benchmarks live in the package `hallpass-bench`, and that of the page
//! in `tests/browser/bench.js`.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The benchmark to run [default: all of the package `hallpass-bench`]. An unknown name prints
    /// the list. `page` loads the page in a browser, with several network delays
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
    if arguments.name.as_deref() == Some("page") {
        return page(workspace, arguments);
    }
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

/// Measures the page of the quickstart in the browser that is installed for the tests.
fn page(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let quickstart = ["build", "--release", "--package", "quickstart", "--example", "quickstart"];
    process::run(&mut workspace.cargo(quickstart))?;
    let folder = workspace.root().join("tests/browser");
    let mut npm = workspace.command("npm");
    process::run(npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder))
        .context("npm cannot install what the benchmark needs")?;
    let mut node = workspace.command("node");
    node.arg("bench.js").args(arguments.rounds.map(|rounds| rounds.to_string()));
    node.env("HALLPASS_QUICKSTART", workspace.target("release/examples/quickstart"));
    process::run(node.current_dir(&folder))?;
    Ok(ExitCode::SUCCESS)
}
