//! Sends one request of a kind, so that callgrind can count its instructions: see `cargo xtask test
//! instructions`.
//!
//! Without an argument, the program prints the names of the cases. With the name of a case, it
//! sends a few requests to warm up, prints how many allocations one more takes, and sends the last
//! one inside of [`counted`]. Callgrind counts what happens in that function only: the call of the
//! service, its response, and dropping both. The request is built before.

mod cases;

use std::process::ExitCode;

use anyhow::{Context, Result};

use self::cases::{CASES, Setup};

/// The number of requests of each case: a few to warm up, one whose allocations are counted, and
/// one whose instructions are counted.
pub(crate) const REQUESTS: usize = 6;

/// Sends a prepared request.
pub(crate) type Step = Box<dyn FnOnce()>;

fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        CASES.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    };
    match run(&name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hallpass-instructions: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(name: &str) -> Result<()> {
    let case = CASES.iter().find(|(known, _)| *known == name);
    let (_, prepare) = case.with_context(|| format!("there is no case `{name}`"))?;
    let mut setup = Setup::new()?;
    let mut next = prepare(&mut setup)?;
    let runtime = setup.runtime();
    let _context = runtime.enter();
    for _ in 0..REQUESTS - 2 {
        next()();
    }
    let step = next();
    println!("{}", allocation_counter::measure(step).count_total);
    counted(next());
    Ok(())
}

/// The function whose instructions callgrind counts, by its name.
#[inline(never)]
fn counted(step: Step) {
    step();
}
