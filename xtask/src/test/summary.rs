//! The summary at the end of a run: a line for each step, and one for all.

use std::fmt;
use std::time::Duration;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::Found;

/// The outcomes of the steps.
#[derive(Default, Serialize)]
pub(super) struct Summary(Vec<Row>);

/// The outcome of one step.
#[derive(Serialize, Deserialize)]
pub(super) struct Row {
    step: String,
    took: Duration,
    found: Found,
}

impl Row {
    pub(super) fn new(step: String, took: Duration, found: Result<Found>) -> Self {
        let found = found.unwrap_or_else(|error| Found {
            failed: 1,
            note: format!("{error:#}"),
            ..Found::default()
        });
        Self { step, took, found }
    }

    fn outcome(&self) -> &'static str {
        match self.found {
            Found { failed: 1.., .. } => "failed",
            Found { passed: 1.., .. } => "passed",
            Found { .. } => "not checked",
        }
    }
}

impl Summary {
    pub(super) fn add(&mut self, row: Row) {
        self.0.push(row);
    }

    pub(super) fn failed(&self) -> u32 {
        self.0.iter().map(|row| row.found.failed).sum()
    }

    fn passed(&self) -> u32 {
        self.0.iter().map(|row| row.found.passed).sum()
    }
}

/// Writes the table. CI reads its last line, which counts each test, and each step without tests
/// as one.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<12} {:<11} {:>7}", "step", "outcome", "seconds")?;
        for row in &self.0 {
            let seconds = row.took.as_secs_f64();
            let line = format!(
                "{:<12} {:<11} {seconds:>7.1}  {}",
                row.step,
                row.outcome(),
                row.found.note
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        writeln!(f, "\n{} passed, {} failed", self.passed(), self.failed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(step: &str, seconds: u64, found: Result<Found>) -> Row {
        Row::new(step.to_owned(), Duration::from_secs(seconds), found)
    }

    #[test]
    fn unchecked_step_is_neither_passed_nor_failed() {
        let mut summary = Summary::default();
        summary.add(row("fmt", 1, Ok(Found::passed())));
        summary.add(row("tests", 62, Ok(Found { passed: 11, failed: 0, note: "11 tests".into() })));
        summary.add(row("advisories", 0, Ok(Found::not_checked("no network"))));
        assert_eq!(
            summary.to_string(),
            "\
step         outcome     seconds
fmt          passed          1.0
tests        passed         62.0  11 tests
advisories   not checked     0.0  no network

12 passed, 0 failed
"
        );
    }

    #[test]
    fn aborted_step_counts_as_one_failure_with_its_reason() {
        let mut summary = Summary::default();
        let why = anyhow::anyhow!("`cargo` ended with 101").context("the tests do not build");
        summary.add(row("tests", 2, Err(why)));
        assert_eq!(summary.failed(), 1);
        let shown = summary.to_string();
        assert!(
            shown.contains("failed          2.0  the tests do not build: `cargo` ended with 101")
        );
        assert!(shown.ends_with("\n0 passed, 1 failed\n"));
    }
}
