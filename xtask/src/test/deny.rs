//! The steps `deny` and `advisories`: what cargo-deny says of the dependencies, by `deny.toml`.

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use super::Found;
use crate::process::{run, run_within};
use crate::workspace::Workspace;

/// What is installed where there is none.
const VERSION: &str = "=0.20.2";

/// How long the database of advisories may take to come.
const FETCH_LIMIT: Duration = Duration::from_secs(60);

pub(super) fn check(workspace: &Workspace) -> Result<Found> {
    run(deny(workspace)?.args(["check", "licenses", "bans", "sources"]))?;
    Ok(Found::passed())
}

pub(super) fn advisories(workspace: &Workspace) -> Result<Found> {
    // Nobody sits there to answer git's question for a password.
    let fetched = run_within(
        deny(workspace)?.args(["fetch", "db"]).env("GIT_TERMINAL_PROMPT", "0"),
        FETCH_LIMIT,
    )?;
    if !fetched {
        return Ok(Found::not_checked("the database could not be fetched"));
    }
    // The check itself is to use what has just come, and what the build has; it must not hang on the network.
    run(&mut workspace.cargo(["fetch"]))?;
    run(deny(workspace)?.args(["--offline", "check", "advisories"]))?;
    Ok(Found::passed())
}

/// cargo-deny, installed first if it has to be.
fn deny(workspace: &Workspace) -> Result<Command> {
    let tools = workspace.target("tools");
    let ours = tools.join("bin").join(format!("cargo-deny{EXE_SUFFIX}"));
    for program in [OsString::from("cargo-deny"), ours.clone().into()] {
        if runs(workspace, &program) {
            return Ok(workspace.command(program));
        }
    }
    println!("cargo-deny is not installed: building it once, into {tools}");
    // Optimising it costs minutes and saves three seconds of each run.
    run(workspace
        .cargo(["install", "cargo-deny", "--debug", "--locked", "--version", VERSION, "--root"])
        .arg(&tools)
        .env("CARGO_PROFILE_DEV_DEBUG", "0"))
    .context("cargo-deny is needed and cannot be installed")?;
    Ok(workspace.command(ours))
}

fn runs(workspace: &Workspace, program: &OsString) -> bool {
    let mut command = workspace.command(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
