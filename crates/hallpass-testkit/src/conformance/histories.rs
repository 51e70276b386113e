//! How random histories are run, and how many.

use std::fmt::Debug;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestError, TestRunner};

use super::run::runtime;

/// How many histories are tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tries {
    pub(super) cases: u32,
    /// How often one that fails is made shorter before it is shown.
    pub(super) shorter: u32,
}

impl Tries {
    /// As many as `PROPTEST_CASES` says, or else some.
    pub(super) fn asked() -> Self {
        let asked = std::env::var_os("PROPTEST_CASES").is_some();
        // Proptest reads the variable itself.
        Self { cases: if asked { Config::default().cases } else { 32 }, shorter: 400 }
    }
}

/// Runs histories of that kind, and shows the shortest that fails.
pub(super) fn all_of<T: Debug + Clone>(
    histories: impl Strategy<Value = T>,
    Tries { cases, shorter }: Tries,
    history: impl AsyncFn(T),
) {
    let config =
        Config { cases, max_shrink_iters: shorter, failure_persistence: None, ..Config::default() };
    let runtime = runtime();
    let ran = TestRunner::new(config).run(&histories, |steps| {
        runtime.block_on(history(steps));
        Ok(())
    });
    match ran {
        Ok(()) => {}
        Err(TestError::Fail(why, steps)) => panic!("{why}\nin this history: {steps:#?}"),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}
