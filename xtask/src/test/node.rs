//! The steps `browser` and `clients`: tests of the examples that Node runs.

use std::process::Command;

use anyhow::{Context, Result};
use cargo_metadata::camino::Utf8PathBuf;

use super::counts::Counts;
use super::{Found, rust};
use crate::process::{run, run_reading};
use crate::workspace::Workspace;

/// Runs the tests in a real browser.
pub(super) fn browser(workspace: &Workspace) -> Result<Found> {
    let folder = Folder::prepare(workspace, "tests/browser")?;
    folder.tests()
}

/// Runs the tests with the real clients of other systems.
pub(super) fn clients(workspace: &Workspace) -> Result<Found> {
    let folder = Folder::prepare(workspace, "tests/clients")?;
    run(folder.node().arg("venv.js")).context("pip cannot install the clients in Python")?;
    folder.tests()
}

/// A folder of tests that Node runs.
struct Folder<'w> {
    workspace: &'w Workspace,
    path: Utf8PathBuf,
}

impl<'w> Folder<'w> {
    /// Builds the examples, and installs the programs and npm packages that the tests need.
    fn prepare(workspace: &'w Workspace, path: &str) -> Result<Self> {
        rust::build(workspace)?;
        let path = workspace.root().join(path);
        let mut npm = workspace.command("npm");
        run(npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(&path))
            .context("npm cannot install what the tests need")?;
        Ok(Self { workspace, path })
    }

    fn node(&self) -> Command {
        let mut node = self.workspace.command("node");
        let examples = self.workspace.target("debug/examples");
        node.env("HALLPASS_QUICKSTART", examples.join("quickstart"));
        node.env("HALLPASS_EXAMPLES", examples);
        node.env("HALLPASS_SERVERS", self.workspace.target("debug/hallpass-servers"));
        node.env("HALLPASS_VENV", self.workspace.target("clients-venv"));
        node.current_dir(&self.path);
        node
    }

    fn tests(&self) -> Result<Found> {
        let mut tests = self.node();
        tests.args(["--test", "--test-reporter=spec", "--test-concurrency=2"]);
        let mut counts = Counts::default();
        let ended_well = run_reading(&mut tests, |line| read(&mut counts, line))?;
        counts.found(ended_well)
    }
}

/// Adds the number in a line of output, if it is a line of the summary such as `pass 12`, or the
/// name of a test that failed.
fn read(counts: &mut Counts, line: &str) {
    if let Some((test, _)) =
        line.trim_start().strip_prefix("\u{2716} ").and_then(|line| line.rsplit_once(" ("))
    {
        counts.failures.insert(test.to_owned(), String::new());
    }
    let summary = line.strip_prefix("\u{2139} ").or_else(|| line.strip_prefix("# "));
    match summary
        .and_then(|line| line.split_once(' '))
        .map(|(what, number)| (what, number.parse::<u32>()))
    {
        Some(("pass", Ok(number))) => counts.passed += number,
        Some(("fail", Ok(number))) => counts.failed += number,
        Some(("cancelled" | "skipped" | "todo", Ok(number))) => counts.left_out += number,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_and_failures_are_read() {
        let output = "\
✔ pass 7 (12.3ms)
✖ token (of Ann) is shown (34.5ms)
ℹ tests 4
ℹ suites 0
ℹ pass 2
ℹ fail 1
ℹ cancelled 0
ℹ skipped 1
ℹ todo 0
ℹ duration_ms 95.1
✖ failing tests:
test at tokens.test.js:3:1
✖ token (of Ann) is shown (34.5ms)
";
        let mut counts = Counts::default();
        output.lines().for_each(|line| read(&mut counts, line));
        let failures = [("token (of Ann) is shown".to_owned(), String::new())].into();
        assert_eq!(counts, Counts { passed: 2, failed: 1, failures, left_out: 1 });
    }
}
