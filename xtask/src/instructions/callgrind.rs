//! Reads the output of callgrind: <https://valgrind.org/docs/manual/cl-format.html>.

use anyhow::{Context, Result, ensure};

/// The options that [`read`] requires. The caches have the same sizes on each machine.
pub(super) const OPTIONS: [&str; 8] = [
    "--tool=callgrind",
    "--cache-sim=yes",
    "--I1=32768,8,64",
    "--D1=32768,8,64",
    "--LL=33554432,16,64",
    "--compress-strings=no",
    "--compress-pos=no",
    "--dump-instr=no",
];

/// What one program does.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Events {
    pub(super) instructions: u64,
    /// How many of them read data.
    pub(super) reads: u64,
    /// How many of them access data that is not in the near cache.
    pub(super) misses: u64,
}

/// Adds up the events of one program. The C library and the loader are left out, because their
/// versions differ between machines.
///
/// # Errors
///
/// Returns an error if the text is not in callgrind's format, or if nothing was counted.
pub(super) fn read(text: &str, program: &str) -> Result<Events> {
    let names = text.lines().find_map(|line| line.strip_prefix("events: "));
    let names: Vec<_> = names.context("callgrind names no events")?.split(' ').collect();
    let place = |name| {
        let place = names.iter().position(|known| *known == name);
        place.with_context(|| format!("callgrind does not count {name}"))
    };
    let [instructions, reads] = [place("Ir")?, place("Dr")?];
    let misses = [place("D1mr")?, place("D1mw")?];

    let mut events = Events::default();
    let (mut is_ours, mut is_call) = (false, false);
    for line in text.lines() {
        if let Some(object) = line.strip_prefix("ob=") {
            is_ours = object == program;
        } else if line.starts_with("calls=") {
            // The next line contains the costs of the callee, which are also listed with the
            // callee.
            is_call = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit()) {
            if is_ours && !is_call {
                // Zeros at the end of a line are left out.
                let costs: Vec<_> = line.split(' ').skip(1).collect();
                let cost = |place: usize| costs.get(place).map_or(Ok(0), |cost| number(cost));
                events.instructions += cost(instructions)?;
                events.reads += cost(reads)?;
                events.misses += cost(misses[0])? + cost(misses[1])?;
            }
            is_call = false;
        }
    }
    ensure!(events.instructions > 0, "callgrind counted nothing");
    Ok(events)
}

fn number(text: &str) -> Result<u64> {
    text.parse().with_context(|| format!("{text:?} is not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_programs_own_lines_count() {
        let text = "\
positions: line
events: Ir Dr Dw D1mr D1mw

ob=/target/program
fl=???
fn=counted
0 10 2 1 4 3
cob=/lib/libc.so.6
cfi=???
cfn=malloc
calls=3 0
0 600 90 80
7 5

ob=/lib/libc.so.6
fl=???
fn=malloc
0 600 90 80
";
        let events = Events { instructions: 15, reads: 2, misses: 7 };
        assert_eq!(read(text, "/target/program").unwrap(), events);
        assert!(read(text, "/another").is_err(), "nothing is counted");
        assert!(read("", "/target/program").is_err());
    }
}
