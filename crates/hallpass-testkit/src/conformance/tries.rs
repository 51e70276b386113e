//! Runs random histories.

use std::fmt::Debug;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestError, TestRunner};

use super::run::runtime;

/// The number of random histories.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tries {
    pub(super) cases: u32,
    /// The maximum number of steps that shorten a failing history before it is shown.
    pub(super) max_shrinks: u32,
}

impl Tries {
    /// Reads the number from `PROPTEST_CASES`. The default is 32.
    pub(super) fn from_env() -> Self {
        let is_set = std::env::var_os("PROPTEST_CASES").is_some();
        // Proptest reads the variable itself.
        Self { cases: if is_set { Config::default().cases } else { 32 }, max_shrinks: 400 }
    }
}

/// Runs random histories, and panics with the shortest one that fails.
pub(super) fn all_of<T: Debug + Clone>(
    histories: impl Strategy<Value = T>,
    Tries { cases, max_shrinks }: Tries,
    history: impl AsyncFn(T),
) {
    let config = Config {
        cases,
        max_shrink_iters: max_shrinks,
        failure_persistence: None,
        ..Config::default()
    };
    let runtime = runtime();
    let ran = TestRunner::new(config).run(&histories, |steps| {
        runtime.block_on(history(steps));
        Ok(())
    });
    match ran {
        Ok(()) => {}
        Err(TestError::Fail(why, steps)) => panic!("{why}\nin the history {steps:?}"),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}
