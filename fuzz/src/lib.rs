//! Fuzz targets: each parser that strangers reach, against a naive reading of its grammar.
//!
//! A target is a function that takes any bytes and panics where parser and oracle disagree.
//! cargo-fuzz (`cargo xtask fuzz`) drives it with libFuzzer; the tests here give it the seeds that
//! the fuzzer starts from; and built without cargo-fuzz, a target's program runs the inputs in the
//! files it is given: `cargo run -p hallpass-fuzz --bin header -- FILE`.

#[path = "../../tests/src/oracle/mod.rs"]
pub mod oracle;

pub mod cursor;
pub mod expiry;
pub mod header;
mod now;
pub mod path;
pub mod query;
pub mod scope;
mod stage;
pub mod token;
mod words;

use std::process::ExitCode;

/// The program of a target: libFuzzer's under cargo-fuzz, [`replay`] otherwise.
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

/// Runs what is in the files that the command line names; a disagreement is a panic.
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
    use super::*;

    /// A line is a seed.
    macro_rules! seeds {
        ($($name:ident,)*) => {$(
            #[test]
            fn $name() {
                let seeds = include_str!(concat!("../seeds/", stringify!($name), ".txt"));
                assert!(seeds.lines().count() > 8, "there is something to start from");
                for seed in seeds.lines() {
                    println!("{seed}");
                    crate::$name::check(seed.as_bytes());
                }
            }
        )*};
    }

    /// Parser and oracle agree about every seed.
    mod agree_about_the_seeds_of {
        seeds! { cursor, expiry, header, path, query, scope, token, }
    }

    #[test]
    fn nothing_at_all_is_an_input_too() {
        for check in [
            cursor::check,
            expiry::check,
            header::check,
            path::check,
            query::check,
            scope::check,
            token::check,
        ] {
            check(b"");
            check(b"\xff\xfe{");
        }
    }
}
