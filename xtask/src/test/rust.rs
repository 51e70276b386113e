//! The steps that are a call of cargo. Most name the same packages and features, so that cargo
//! compiles each dependency only once.

use std::process::Command;
use std::{env, thread};

use anyhow::{Context, Result};

use super::{Found, libtest};
use crate::process::{run, run_reading};
use crate::workspace::Workspace;

/// The arguments that build the tests over TLS.
const TLS: [&str; 2] = ["--features", "hallpass-tls-tests/tls"];

pub(super) fn fmt(workspace: &Workspace) -> Result<Found> {
    run(&mut workspace.cargo(["fmt", "--all", "--check"]))?;
    Ok(Found::passed())
}

pub(super) fn clippy(workspace: &Workspace) -> Result<Found> {
    let deny = ["--", "-D", "warnings"];
    run(workspace.cargo(["clippy", "--all-targets"]).args(workspace.everything()).args(deny))?;
    // The features of everything else leave these two out.
    let mut tls = workspace.cargo(["clippy", "--bin", "one-check", "--test", "tls"]);
    run(tls.args(workspace.everything()).args(TLS).args(deny))?;
    Ok(Found::passed())
}

/// Checks the examples as `cargo run --example` builds them. The other steps build the whole
/// workspace, where another package may turn on a feature that an example needs.
pub(super) fn examples(workspace: &Workspace) -> Result<Found> {
    run(&mut workspace.cargo(["check", "--examples"])).context("an example lacks a feature")?;
    Ok(Found::passed())
}

pub(super) fn tests(workspace: &Workspace) -> Result<Found> {
    build(workspace)?;
    let mut tests = workspace.cargo(["test", "--no-fail-fast", "--tests"]);
    // Some of the long tests wait for servers or for time to pass. With two for each processor,
    // tests of PostgreSQL missed the deadlines of the store.
    if env::var_os("RUST_TEST_THREADS").is_none() {
        let processors = thread::available_parallelism()?.get();
        tests.env("RUST_TEST_THREADS", (processors + 1).to_string());
    }
    counted(tests.args(workspace.everything()))
}

/// Builds the tests, and the examples and programs that the end-to-end tests run. Installs the
/// servers and the browser that the tests start, if they are missing.
pub(super) fn build(workspace: &Workspace) -> Result<Found> {
    run(workspace.cargo(["test", "--no-run"]).args(workspace.everything()))
        .context("the tests do not build")?;
    let servers = workspace.target("debug/hallpass-servers");
    run(workspace.command(servers).arg("install")).context("the tests need real servers")?;
    Ok(Found::passed())
}

/// Runs the tests over TLS. The other steps leave them out, because they enable TLS features of the
/// drivers, which would change all other programs.
pub(super) fn tls(workspace: &Workspace) -> Result<Found> {
    let mut tests = workspace.cargo(["test", "--no-fail-fast", "--test", "tls"]);
    counted(tests.args(workspace.everything()).args(TLS))
}

pub(super) fn doctests(workspace: &Workspace) -> Result<Found> {
    // This also runs the doctests of libraries with `doctest = false`. Without these packages, the
    // dependencies would have other features and be built again.
    let mut tests = workspace.cargo(["test", "--no-fail-fast", "--doc"]);
    counted(tests.args(workspace.everything()))
}

fn counted(tests: &mut Command) -> Result<Found> {
    let mut reader = libtest::Reader::default();
    let ended_well = run_reading(tests, |line| reader.read(line))?;
    reader.counts.found(ended_well)
}
