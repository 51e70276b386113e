//! Fuzz targets, one for each parser of untrusted input. Each compares the parser with an oracle: a
//! second, naive implementation of the same grammar.
//!
//! A target is a function that takes any bytes and panics if parser and oracle disagree. The tests
//! of this crate run it on the seeds and on random inputs. `cargo xtask fuzz` runs it with
//! libFuzzer, which looks for inputs that reach new code. To run one input again, pass its file:
//! `cargo run -p hallpass-fuzz --bin header -- FILE`.

#[path = "../../tests/src/oracle/mod.rs"]
pub mod oracle;

pub mod cursor;
pub mod expiry;
mod fixture;
pub mod header;
#[cfg(test)]
mod inputs;
mod now;
pub mod path;
pub mod query;
pub mod scope;
pub mod token;
mod words;

use std::process::ExitCode;

/// Defines the `main` function of a target: libFuzzer's under cargo-fuzz, and [`replay`] otherwise.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::$name::check(data));

        #[cfg(not(fuzzing))]
        fn main() -> std::process::ExitCode {
            $crate::replay($crate::$name::check)
        }
    };
}

/// Runs a target on the contents of the files that the command line names.
pub fn replay(check: fn(&[u8])) -> ExitCode {
    let mut outcome = ExitCode::SUCCESS;
    for path in std::env::args_os().skip(1) {
        match std::fs::read(&path) {
            Ok(data) => check(&data),
            Err(error) => {
                eprintln!("{} cannot be read: {error}", path.display());
                outcome = ExitCode::FAILURE;
            }
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::{TestError, TestRunner};

    use super::inputs::inputs;

    /// How many random inputs each target is run on.
    const CASES: u32 = 4096;

    /// Runs a target on each line of its seed file, and on random inputs.
    macro_rules! targets {
        ($($name:ident,)*) => {$(
            mod $name {
                use super::super::$name::check;

                const SEEDS: &str = include_str!(concat!("../seeds/", stringify!($name), ".txt"));
                const WORDS: &str = include_str!(concat!("../words/", stringify!($name), ".dict"));

                #[test]
                fn agrees_with_the_oracle_about_the_seeds() {
                    super::check_seeds(SEEDS, check);
                }

                #[test]
                fn agrees_with_the_oracle_about_random_inputs() {
                    super::check_random_inputs(stringify!($name), SEEDS, WORDS, check);
                }
            }
        )*};
    }

    targets! { cursor, expiry, header, path, query, scope, token, }

    fn check_seeds(seeds: &str, check: fn(&[u8])) {
        assert!(seeds.lines().count() > 8, "there must be more than eight seeds");
        for seed in seeds.lines() {
            println!("{seed}");
            check(seed.as_bytes());
        }
        check(b"");
        check(b"\xff\xfe{");
    }

    fn check_random_inputs(name: &str, seeds: &'static str, words: &'static str, check: fn(&[u8])) {
        let config =
            ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(CASES) };
        let checked = TestRunner::new(config).run(&inputs(seeds, words), |input| {
            check(&input);
            Ok(())
        });
        match checked {
            Ok(()) => {}
            Err(TestError::Fail(reason, input)) => panic!(
                "{reason}. Add the input \"{}\" to fuzz/seeds/{name}.txt with the fix, with {{LINE}} for a \
                 line break",
                input.escape_ascii()
            ),
            Err(error) => panic!("{error}"),
        }
    }
}
