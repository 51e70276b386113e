//! How many tests ran, from what libtest prints.

use anyhow::{Result, bail};

use super::Found;

/// The sum of the `test result:` lines.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Counts {
    passed: u32,
    failed: u32,
}

impl Counts {
    /// Takes in a line of output; most say nothing of a result.
    pub(super) fn read(&mut self, line: &str) {
        let Some((_, counts)) =
            line.strip_prefix("test result: ").and_then(|line| line.split_once(". "))
        else {
            return;
        };
        for count in counts.split("; ") {
            match count.split_once(' ').map(|(number, what)| (number.parse::<u32>(), what)) {
                Some((Ok(number), "passed")) => self.passed += number,
                Some((Ok(number), "failed")) => self.failed += number,
                _ => {}
            }
        }
    }

    /// What all the lines amount to, of a run that ended well or did not.
    pub(super) fn found(self, ended_well: bool) -> Result<Found> {
        let Self { passed, failed } = self;
        if ended_well && passed == 0 {
            bail!("no test ran");
        }
        if ended_well != (failed == 0) {
            bail!("{passed} tests passed and {failed} failed, and then the run broke off");
        }
        let note = if failed == 0 {
            format!("{passed} tests")
        } else {
            format!("{failed} of {} tests failed", passed + failed)
        };
        Ok(Found { passed, failed, note })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(output: &str) -> Counts {
        let mut counts = Counts::default();
        output.lines().for_each(|line| counts.read(line));
        counts
    }

    #[test]
    fn the_results_of_all_test_binaries_are_summed() {
        let output = "\
running 2 tests
test one ... ok
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.00s
     Running tests/api.rs
test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s
";
        assert_eq!(counts(output), Counts { passed: 5, failed: 1 });
        let found = counts(output).found(false).unwrap();
        assert_eq!((found.passed, found.failed, &*found.note), (5, 1, "1 of 6 tests failed"));
    }

    #[test]
    fn a_run_that_breaks_off_is_a_failure_whatever_passed_before() {
        let output = "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured";
        assert!(counts(output).found(false).is_err());
        assert!(counts("error: could not compile").found(false).is_err());
    }

    #[test]
    fn a_run_without_tests_is_a_failure() {
        assert_eq!(counts("").found(true).unwrap_err().to_string(), "no test ran");
    }
}
