//! Reads what libtest prints: a line for each test, and a summary at the end of each test binary.

use super::counts::Counts;

/// The maximum number of characters of a line in a message.
const LONGEST: usize = 2_000;

/// Reads the output of test binaries line by line.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) counts: Counts,
    /// The test whose message is in the next lines.
    panicked: Option<String>,
}

impl Reader {
    /// Adds the numbers in a line, if it is a summary, or the name or the message of a test that
    /// failed. Tests that a filter leaves out do not count.
    pub(super) fn read(&mut self, line: &str) {
        let Counts { passed, failed, failures, .. } = &mut self.counts;
        let ends = ["note: ", "stack backtrace:", "thread '"];
        if line.is_empty() || ends.iter().any(|end| line.starts_with(end)) {
            self.panicked = None;
        }
        if let Some(message) = self.panicked.as_ref().and_then(|test| failures.get_mut(test)) {
            let separator = if message.is_empty() { "" } else { " | " };
            message.push_str(separator);
            message.extend(line.trim().chars().take(LONGEST));
        }
        let test = line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... FAILED"));
        if let Some(test) = test {
            failures.insert(test.to_owned(), String::new());
        }
        // The thread of a test has its name.
        let thread = line.strip_prefix("thread '").and_then(|line| line.split_once('\''));
        if let Some((test, place)) = thread
            && place.contains(" panicked at ")
        {
            self.panicked = Some(test.to_owned());
            if let Some(message) = failures.get_mut(test) {
                message.clear();
            }
        }
        let results = line.strip_prefix("test result: ").and_then(|line| line.split_once(". "));
        for result in results.into_iter().flat_map(|(_, results)| results.split("; ")) {
            match result.split_once(' ').map(|(number, what)| (number.parse::<u32>(), what)) {
                Some((Ok(number), "passed")) => *passed += number,
                Some((Ok(number), "failed")) => *failed += number,
                _ => {}
            }
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
---- two stdout ----
thread 'two' (7) panicked at tests/api.rs:3:5:
first attempt
thread 'two' (7) panicked at tests/api.rs:9:5:
assertion `left == right` failed
  left: 1
 right: 2
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s
";
        let mut reader = Reader::default();
        output.lines().for_each(|line| reader.read(line));
        let failures = [(
            "two".to_owned(),
            "assertion `left == right` failed | left: 1 | right: 2".to_owned(),
        )]
        .into();
        assert_eq!(reader.counts, Counts { passed: 5, failed: 1, failures, left_out: 0 });
    }
}
