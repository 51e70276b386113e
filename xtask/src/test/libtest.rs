//! Reads what libtest prints: a line for each test, and a summary at the end of each test binary.

use super::counts::Counts;

/// Adds the numbers in a line of output, if it is a summary, or the name of a test that failed.
/// Tests that a filter leaves out do not count.
pub(super) fn read(counts: &mut Counts, line: &str) {
    if let Some(test) = line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... FAILED"))
    {
        counts.failures.insert(test.to_owned());
    }
    let Some((_, results)) =
        line.strip_prefix("test result: ").and_then(|line| line.split_once(". "))
    else {
        return;
    };
    for result in results.split("; ") {
        match result.split_once(' ').map(|(number, what)| (number.parse::<u32>(), what)) {
            Some((Ok(number), "passed")) => counts.passed += number,
            Some((Ok(number), "failed")) => counts.failed += number,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_test_binaries_are_summed() {
        let output = "\
running 2 tests
test one ... ok
test two ... FAILED
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.00s
     Running tests/api.rs
test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s
";
        let mut counts = Counts::default();
        output.lines().for_each(|line| read(&mut counts, line));
        let failures = ["two".to_owned()].into();
        assert_eq!(counts, Counts { passed: 5, failed: 1, failures, left_out: 0 });
    }
}
