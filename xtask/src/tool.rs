//! Installs tools that the checks need.

use std::env::consts::EXE_SUFFIX;
use std::ffi::{OsStr, OsString};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::process::run;
use crate::workspace::Workspace;

/// Returns the program of this name: the installed one, or one in the target folder, which is built
/// first if necessary.
pub(crate) fn tool(workspace: &Workspace, name: &str, version: &str) -> Result<Command> {
    let tools = workspace.target("tools");
    let ours = tools.join("bin").join(format!("{name}{EXE_SUFFIX}"));
    for program in [OsString::from(name), ours.clone().into()] {
        if runs(workspace, &program) {
            return Ok(workspace.command(program));
        }
    }
    println!("{name} is not installed: building it once, into {tools}");
    // An optimised build takes minutes longer and saves only seconds in each run.
    run(workspace
        .cargo(["install", name, "--debug", "--locked", "--version", version, "--root"])
        .arg(&tools)
        .env("CARGO_PROFILE_DEV_DEBUG", "0"))
    .with_context(|| format!("{name} is needed and cannot be installed"))?;
    Ok(workspace.command(ours))
}

/// Returns whether a program is installed.
pub(crate) fn runs(workspace: &Workspace, program: impl AsRef<OsStr>) -> bool {
    let mut command = workspace.command(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
