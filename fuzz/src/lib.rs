//! Fuzz targets, one for each parser of untrusted input. Each compares the parser with an oracle: a
//! second, naive implementation of the same grammar.
//!
//! A target is a function that takes any bytes and panics if parser and oracle disagree. `cargo
//! xtask fuzz` runs it with libFuzzer. The tests of this crate run it on the seeds. To run one
//! input again, pass its file: `cargo run -p hallpass-fuzz --bin header -- FILE`.

#[path = "../../tests/src/oracle/mod.rs"]
pub mod oracle;

pub mod cursor;
pub mod expiry;
mod fixture;
pub mod header;
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
    use super::*;

    /// Runs a target on each line of its seed file.
    macro_rules! seeds {
        ($($name:ident,)*) => {$(
            #[test]
            fn $name() {
                let seeds = include_str!(concat!("../seeds/", stringify!($name), ".txt"));
                assert!(seeds.lines().count() > 8, "there must be at least one seed");
                for seed in seeds.lines() {
                    println!("{seed}");
                    crate::$name::check(seed.as_bytes());
                }
            }
        )*};
    }

    /// Tests that parser and oracle agree about every seed.
    mod agree_about_the_seeds_of {
        seeds! { cursor, expiry, header, path, query, scope, token, }
    }

    #[test]
    fn empty_input_is_accepted() {
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
