//! Counts the tests that a step ran, of any test runner.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::Found;

/// The numbers of tests in a run, by outcome.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Counts {
    pub(super) passed: u32,
    pub(super) failed: u32,
    /// The tests that failed, and the message of each one's last panic, as far as the runner's
    /// output shows them.
    pub(super) failures: BTreeMap<String, String>,
    /// The number of tests that were skipped, cancelled or not yet written.
    pub(super) left_out: u32,
}

impl Counts {
    /// Returns the result of a step. `ended_well` is set if the test runner succeeded.
    pub(super) fn found(self, ended_well: bool) -> Result<Found> {
        let Self { passed, failed, failures, left_out } = self;
        let failures: Vec<_> = failures.into_iter().map(in_words).collect();
        let names = failures.join(", ");
        if left_out > 0 {
            bail!("{left_out} tests were left out");
        }
        if ended_well && passed == 0 {
            bail!("no test ran");
        }
        if ended_well != (failed == 0) {
            bail!(
                "{passed} tests passed and {failed} failed, and then the run was aborted: {names}"
            );
        }
        let note = if failed == 0 {
            format!("{passed} tests")
        } else {
            format!("{failed} of {} tests failed: {names}", passed + failed)
        };
        Ok(Found { passed, failed, note })
    }
}

fn in_words((test, message): (String, String)) -> String {
    if message.is_empty() { test } else { format!("{test} ({message})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(passed: u32, failed: u32, ended_well: bool) -> Result<Found> {
        Counts { passed, failed, ..Counts::default() }.found(ended_well)
    }

    #[test]
    fn failures_are_counted_and_named() {
        let failures = [("two", "not equal"), ("one", "")];
        let failures = failures.map(|(test, message)| (test.to_owned(), message.to_owned())).into();
        let counts = Counts { passed: 5, failed: 2, failures, left_out: 0 };
        let found = counts.found(false).unwrap();
        assert_eq!(
            (found.passed, found.failed, &*found.note),
            (5, 2, "2 of 7 tests failed: one, two (not equal)")
        );
    }

    #[test]
    fn aborted_run_is_a_failure() {
        assert!(found(2, 0, false).is_err());
        assert!(found(2, 1, true).is_err());
        assert!(found(0, 0, false).is_err());
    }

    #[test]
    fn run_without_all_tests_is_a_failure() {
        assert_eq!(found(0, 0, true).unwrap_err().to_string(), "no test ran");
        assert!(Counts { passed: 2, left_out: 1, ..Counts::default() }.found(true).is_err());
    }
}
