//! Steps that run at the same time as the others, in a process of their own.

use std::fs::{self, File};
use std::path::Path;
use std::process::Child;

use anyhow::{Context, Result};
use cargo_metadata::camino::Utf8PathBuf;

use super::Step;
use super::summary::Row;
use crate::workspace::Workspace;

/// Lets the main steps go first when both want a processor. Their tests wait for servers and
/// browsers with time limits, and would fail on a machine that is too busy. The guards run such
/// tests, too, so they go before steps that only compile.
pub(super) fn lower_priority(steps: &[Step]) -> Result<()> {
    #[cfg(unix)]
    rustix::process::nice(if steps.contains(&Step::Guards) { 10 } else { 19 })?;
    #[cfg(not(unix))]
    let _ = steps;
    Ok(())
}

/// A process that runs steps. Its output goes to a file, so that it does not mix with the output of
/// the other steps.
pub(super) struct Beside {
    process: Child,
    output: Utf8PathBuf,
    rows: Utf8PathBuf,
}

impl Beside {
    /// Starts the steps with the program of this process. `queue` is the name of its files in the
    /// target folder.
    ///
    /// # Errors
    ///
    /// Returns an error if the process cannot be started or a file cannot be written.
    pub(super) fn start(
        workspace: &Workspace,
        program: &Path,
        queue: &str,
        steps: &[Step],
    ) -> Result<Self> {
        let [output, rows] =
            ["log", "json"].map(|kind| workspace.target(&format!("{queue}.{kind}")));
        // An old file must not be read if the process does not write a new one.
        fs::write(&rows, "")?;
        let file = File::create(&output)?;
        let process = workspace
            .command(program)
            .arg("test")
            .args(steps.iter().map(|step| step.name()))
            .args(["--rows", rows.as_str()])
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()?;
        Ok(Self { process, output, rows })
    }

    /// Waits for the end of the steps, prints their output, and returns their outcomes.
    ///
    /// # Errors
    ///
    /// Returns an error if the process was aborted or its files cannot be read.
    pub(super) fn finish(mut self) -> Result<Vec<Row>> {
        self.process.wait()?;
        print!("{}", String::from_utf8_lossy(&fs::read(&self.output)?));
        serde_json::from_str(&fs::read_to_string(&self.rows)?).context("the process was aborted")
    }
}
