//! The steps `deny` and `advisories`: what cargo-deny says of the dependencies, by `deny.toml`.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::Found;
use crate::process::{run, run_within};
use crate::tool::tool;
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
    // The check itself is to use what has just come, and what the build has; it must not hang on
    // the network.
    run(&mut workspace.cargo(["fetch"]))?;
    run(deny(workspace)?.args(["--offline", "check", "advisories"]))?;
    Ok(Found::passed())
}

fn deny(workspace: &Workspace) -> Result<Command> {
    tool(workspace, "cargo-deny", VERSION)
}
