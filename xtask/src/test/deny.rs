//! The steps `deny` and `advisories`: check the dependencies with cargo-deny and the settings in
//! `deny.toml`.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::Found;
use crate::process::{run, run_within};
use crate::tool::tool;
use crate::workspace::Workspace;

/// The version of cargo-deny that is installed if there is none.
const VERSION: &str = "=0.20.2";

/// The maximum time for fetching the database of advisories.
const FETCH_LIMIT: Duration = Duration::from_secs(60);

pub(super) fn check(workspace: &Workspace) -> Result<Found> {
    run(deny(workspace)?.args(["check", "licenses", "bans", "sources"]))?;
    Ok(Found::passed())
}

pub(super) fn advisories(workspace: &Workspace) -> Result<Found> {
    // Git must not prompt for a password.
    let fetched = run_within(
        deny(workspace)?.args(["fetch", "db"]).env("GIT_TERMINAL_PROMPT", "0"),
        FETCH_LIMIT,
    )?;
    if !fetched {
        return Ok(Found::not_checked("the database could not be fetched"));
    }
    // The check uses the database that was just fetched, and must not wait for the network.
    run(&mut workspace.cargo(["fetch"]))?;
    run(deny(workspace)?.args(["--offline", "check", "advisories"]))?;
    Ok(Found::passed())
}

fn deny(workspace: &Workspace) -> Result<Command> {
    tool(workspace, "cargo-deny", VERSION)
}
