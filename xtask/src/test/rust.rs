//! The steps that are a call of cargo. All name the same packages and features, so that cargo
//! compiles each dependency only once.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, thread};

use anyhow::{Context, Result};

use super::{Found, libtest};
use crate::process::{run, run_reading};
use crate::source_copy;
use crate::workspace::Workspace;

pub(super) fn fmt(workspace: &Workspace) -> Result<Found> {
    run(&mut workspace.cargo(["fmt", "--all", "--check"]))?;
    Ok(Found::passed())
}

pub(super) fn clippy(workspace: &Workspace) -> Result<Found> {
    run(workspace
        .cargo(["clippy", "--all-targets"])
        .args(workspace.everything())
        .args(["--", "-D", "warnings"]))?;
    Ok(Found::passed())
}

/// Packages each crate as for publishing, and builds it from the package.
///
/// Cargo caches the unpacked and compiled crates of a version, under the path of the target folder.
/// A second run in the same folder would build against the crates of the first one. So each run has
/// a new folder.
pub(super) fn publish(workspace: &Workspace) -> Result<Found> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let target = workspace.target(&format!("publish-{now}"));
    let shared = source_copy::share_dependencies(workspace, &target);
    let mut publish = workspace.cargo(["publish", "--dry-run", "--workspace", "--allow-dirty"]);
    // The packages do not have the workspace's profiles.
    publish.env("CARGO_PROFILE_DEV_DEBUG", "false");
    publish.args(["--quiet", "--target-dir", target.as_str()]);
    let published = shared.and_then(|()| run(&mut publish));
    std::fs::remove_dir_all(&target).with_context(|| format!("cannot remove {target}"))?;
    published?;
    Ok(Found::passed())
}

pub(super) fn docs(workspace: &Workspace) -> Result<Found> {
    // Cargo enables the features that tests and examples require of a dependency only if tests or
    // examples are built: with `--examples` the dependencies are those that clippy has checked.
    run(workspace
        .cargo(["doc", "--no-deps", "--lib", "--bins", "--examples"])
        .args(workspace.everything())
        .env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Found::passed())
}

pub(super) fn tests(workspace: &Workspace) -> Result<Found> {
    build(workspace)?;
    let mut tests = workspace.cargo(["test", "--no-fail-fast", "--tests"]);
    // Most of the long tests wait for servers or for time to pass.
    if env::var_os("RUST_TEST_THREADS").is_none() {
        let processors = thread::available_parallelism()?.get();
        tests.env("RUST_TEST_THREADS", (2 * processors).to_string());
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

/// Runs the tests over TLS. They are a workspace of their own, because their features of the
/// drivers must not reach the other builds.
pub(super) fn tls(workspace: &Workspace) -> Result<Found> {
    let manifest = ["--manifest-path", "tests/tls/Cargo.toml"];
    run(workspace
        .cargo(["fmt", "--check"])
        .args(manifest)
        .args(["--package", "hallpass-tls-tests"]))?;
    let mut tests = workspace.cargo(["test", "--no-fail-fast", "--locked", "--target-dir"]);
    counted(tests.arg(workspace.target("")).args(manifest)).context(
        "tests/tls has a lock file of its own; where a crate's dependencies have changed: \
         cargo update --workspace --manifest-path tests/tls/Cargo.toml",
    )
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
