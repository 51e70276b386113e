//! Reads the output of callgrind: <https://valgrind.org/docs/manual/cl-format.html>.

use anyhow::{Context, Result, ensure};

/// The options that [`read`] requires.
pub(super) const OPTIONS: [&str; 5] = [
    "--tool=callgrind",
    "--cache-sim=yes",
    "--compress-strings=no",
    "--compress-pos=no",
    "--dump-instr=no",
];

/// Adds up the instructions of one program, and how many of them read data. The C library and the
/// loader are left out, because their versions differ between machines.
///
/// # Errors
///
/// Returns an error if the text is not in callgrind's format, or if nothing was counted.
pub(super) fn read(text: &str, program: &str) -> Result<(u64, u64)> {
    let events = text.lines().find_map(|line| line.strip_prefix("events: "));
    let events: Vec<_> = events.context("callgrind names no events")?.split(' ').collect();
    let position = |name| events.iter().position(|event| *event == name);
    let places = position("Ir").zip(position("Dr")).context("callgrind counts no reads")?;

    let (mut instructions, mut reads) = (0, 0);
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
                let cost = |position| costs.get(position).map_or(Ok(0), |cost: &&str| number(cost));
                instructions += cost(places.0)?;
                reads += cost(places.1)?;
            }
            is_call = false;
        }
    }
    ensure!(instructions > 0, "callgrind counted nothing");
    Ok((instructions, reads))
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
events: Ir Dr Dw

ob=/target/program
fl=???
fn=counted
0 10 2 1
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
        assert_eq!(read(text, "/target/program").unwrap(), (15, 2));
        assert!(read(text, "/another").is_err(), "nothing is counted");
        assert!(read("", "/target/program").is_err());
    }
}
