//! Tools that the checks need, and that nobody need have installed.

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::process::run;
use crate::workspace::Workspace;

/// The program of this name: the one that is installed, or ours, built first if it has to be.
pub(crate) fn tool(workspace: &Workspace, name: &str, version: &str) -> Result<Command> {
    let tools = workspace.target("tools");
    let ours = tools.join("bin").join(format!("{name}{EXE_SUFFIX}"));
    for program in [OsString::from(name), ours.clone().into()] {
        if runs(workspace, &program) {
            return Ok(workspace.command(program));
        }
    }
    println!("{name} is not installed: building it once, into {tools}");
    // Optimising a tool costs minutes and saves seconds of each run.
    run(workspace
        .cargo(["install", name, "--debug", "--locked", "--version", version, "--root"])
        .arg(&tools)
        .env("CARGO_PROFILE_DEV_DEBUG", "0"))
    .with_context(|| format!("{name} is needed and cannot be installed"))?;
    Ok(workspace.command(ours))
}

fn runs(workspace: &Workspace, program: &OsString) -> bool {
    let mut command = workspace.command(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
