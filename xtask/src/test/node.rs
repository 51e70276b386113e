//! The steps `browser` and `clients`: tests that Node runs, of the examples as people run them.

use anyhow::{Context, Result};

use super::counts::Counts;
use super::{Found, rust};
use crate::process::{run, run_reading};
use crate::workspace::Workspace;

/// In a real browser.
pub(super) fn browser(workspace: &Workspace) -> Result<Found> {
    tests_in(workspace, "tests/browser")
}

/// By clients that nobody here wrote.
pub(super) fn clients(workspace: &Workspace) -> Result<Found> {
    tests_in(workspace, "tests/clients")
}

/// Installs what the folder's lock file names, and runs its tests.
fn tests_in(workspace: &Workspace, folder: &str) -> Result<Found> {
    rust::build(workspace)?;
    let at = workspace.root().join(folder);
    run(workspace.command("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&at))
        .context("npm cannot install what the tests need")?;
    let mut tests = workspace.command("node");
    tests.args(["--test", "--test-reporter=spec", "--test-concurrency=2"]).current_dir(&at);
    tests.env("HALLPASS_EXAMPLES", workspace.target("debug/examples"));
    tests.env("HALLPASS_TARGET", workspace.target(""));
    let mut counts = Counts::default();
    let ended_well = run_reading(&mut tests, |line| read(&mut counts, line))?;
    counts.found(ended_well)
}

/// Takes in a line of output: `pass 12`, behind a sign of its own, once at the end.
fn read(counts: &mut Counts, line: &str) {
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
    fn the_summary_is_read_and_nothing_else() {
        let output = "\
✔ pass 7 (12.3ms)
ℹ tests 4
ℹ suites 0
ℹ pass 2
ℹ fail 1
ℹ cancelled 0
ℹ skipped 1
ℹ todo 0
ℹ duration_ms 95.1
";
        let mut counts = Counts::default();
        output.lines().for_each(|line| read(&mut counts, line));
        assert_eq!(counts, Counts { passed: 2, failed: 1, left_out: 1 });
    }
}
