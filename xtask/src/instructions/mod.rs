//! How many instructions one request takes, counted by callgrind, and the baseline that they are
//! compared with.
//!
//! The requests are those of the package `hallpass-instructions`. Time depends on the machine and
//! its load. The number of instructions depends only on the source, the compiler and the
//! dependencies, so a test can compare it.

mod callgrind;

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use self::callgrind::Events;
use crate::workspace::Workspace;
use crate::{process, tool};

const PACKAGE: &str = "hallpass-instructions";

/// The profile that the package is built with.
const PROFILE: &str = "instructions";

/// How far a count may rise above the baseline, in percent.
const LIMIT: u64 = 3;

/// The same if the baseline was counted with another compiler, which generates other instructions
/// from the same source.
const LIMIT_ACROSS_COMPILERS: u64 = 10;

/// How many misses more are chance. A few depend on the addresses of the data.
const CHANCE_MISSES: u64 = 20;

/// How often each case is run. The smallest counts are kept, because moka also does work of its own
/// in some requests: it does so every 300 ms, and when a table must grow.
const RUNS: usize = 3;

const HEADER: &str = "\
# What one request takes: see `docs/speed.md`. `cargo xtask instructions` writes this file.
";

/// The costs of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    /// The instructions of the program, without those of the C library.
    instructions: u64,
    /// How many of them read data.
    reads: u64,
    /// How many of them access data that is not in a near cache of 32 KB.
    misses: u64,
    /// How often memory is allocated.
    allocations: u64,
}

impl Counts {
    /// Returns the smaller one of each count.
    fn min(self, other: Self) -> Self {
        Self {
            instructions: self.instructions.min(other.instructions),
            reads: self.reads.min(other.reads),
            misses: self.misses.min(other.misses),
            allocations: self.allocations.min(other.allocations),
        }
    }
}

/// The counts of all cases, as the file has them.
#[derive(Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Baseline {
    /// The compiler that they were counted with.
    rustc: String,
    case: BTreeMap<String, Counts>,
}

/// Counts, and replaces the baseline.
pub(crate) fn write(workspace: &Workspace) -> Result<()> {
    let counted = count(workspace)?;
    for (name, counts) in &counted.case {
        println!("{}", line(name, *counts));
    }
    let file = file(workspace);
    fs::write(&file, format!("{HEADER}{}", toml::to_string(&counted)?))
        .with_context(|| format!("cannot write {file}"))
}

/// Counts, and compares with the baseline. Returns how many cases there are, and a remark.
///
/// # Errors
///
/// Returns an error if a count has risen by more than the limit, or if the cases are not those of
/// the baseline.
pub(crate) fn check(workspace: &Workspace) -> Result<(usize, String)> {
    let file = file(workspace);
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    let baseline: Baseline = toml::from_str(&text).with_context(|| file.to_string())?;
    let counted = count(workspace)?;
    let (limit, note) = if counted.rustc == baseline.rustc {
        (LIMIT, String::new())
    } else {
        let note = format!("the baseline is of {}: renew it", baseline.rustc);
        (LIMIT_ACROSS_COMPILERS, note)
    };
    let mut findings = Vec::new();
    for (name, counts) in &counted.case {
        println!("{}", line(name, *counts));
        match baseline.case.get(name) {
            Some(known) => findings.extend(rises(name, *known, *counts, limit)),
            None => findings.push(format!("{name} is not in the baseline")),
        }
    }
    let removed = baseline.case.keys().filter(|name| !counted.case.contains_key(*name));
    findings.extend(removed.map(|name| format!("{name} is in the baseline alone")));
    if !findings.is_empty() {
        bail!(
            "{}. If this is intended, run `cargo xtask instructions` and commit the new {file} with the change",
            findings.join("; ")
        );
    }
    Ok((counted.case.len(), note))
}

/// Returns the counts that have increased by more than `limit` percent.
fn rises(name: &str, known: Counts, counted: Counts, limit: u64) -> Vec<String> {
    let counts = [
        ("instructions", known.instructions, counted.instructions, 0),
        ("reads", known.reads, counted.reads, 0),
        ("misses", known.misses, counted.misses, CHANCE_MISSES),
        ("allocations", known.allocations, counted.allocations, 0),
    ];
    let risen = counts
        .into_iter()
        .filter(|(_, before, now, chance)| now * 100 > (before + chance) * (100 + limit));
    risen
        .map(|(what, before, now, _)| format!("{name}: {what} rose from {before} to {now}"))
        .collect()
}

fn line(name: &str, Counts { instructions, reads, misses, allocations }: Counts) -> String {
    format!(
        "{name:<18} {instructions:>8} instructions {reads:>7} reads {misses:>5} misses \
         {allocations:>4} allocations"
    )
}

fn file(workspace: &Workspace) -> Utf8PathBuf {
    workspace.root().join("benches/instructions/baseline.toml")
}

/// Counts all cases.
fn count(workspace: &Workspace) -> Result<Baseline> {
    if !tool::runs(workspace, "valgrind") {
        let install =
            ["run", "--quiet", "--package", "hallpass-servers", "--", "install", "valgrind"];
        process::run(&mut workspace.cargo(install))
            .context("the instructions are counted by valgrind")?;
    }
    process::run(&mut workspace.cargo(["build", "--profile", PROFILE, "--package", PACKAGE]))?;
    let program = workspace.target(PROFILE).join(PACKAGE);
    let names = workspace.command(&program).output().context("the cases cannot be listed")?;
    let names = String::from_utf8(names.stdout)?;
    let mut case = BTreeMap::new();
    for name in names.lines() {
        let counts = (0..RUNS).map(|_| count_case(workspace, &program, name));
        let counts = counts.collect::<Result<Vec<_>>>();
        let counts = counts.with_context(|| format!("the case {name}"))?;
        let least = counts.into_iter().reduce(Counts::min).context("no case was run")?;
        case.insert(name.to_owned(), least);
    }
    Ok(Baseline { rustc: rustc(workspace)?, case })
}

/// Runs one case under callgrind.
fn count_case(workspace: &Workspace, program: &Utf8PathBuf, name: &str) -> Result<Counts> {
    let out = workspace.target(PROFILE).join(format!("{name}.callgrind"));
    let mut valgrind = workspace.command("valgrind");
    valgrind
        .args(callgrind::OPTIONS)
        .arg(format!("--callgrind-out-file={out}"))
        .arg("--toggle-collect=hallpass_instructions::counted*")
        .arg("--quiet")
        .arg(program)
        .arg(name);
    let run = valgrind.output().context("`valgrind` cannot be started")?;
    ensure!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr).trim());
    let text = fs::read(&out).with_context(|| format!("callgrind wrote no {out}"))?;
    let read = callgrind::read(&String::from_utf8_lossy(&text), program.as_str());
    let Events { instructions, reads, misses } = read.with_context(|| out.to_string())?;
    let allocations = String::from_utf8_lossy(&run.stdout).trim().parse();
    let allocations = allocations.context("the program prints no number of allocations")?;
    Ok(Counts { instructions, reads, misses, allocations })
}

/// Returns the version of the compiler, such as `rustc 1.95.0`.
fn rustc(workspace: &Workspace) -> Result<String> {
    let output = workspace.command("rustc").arg("--version").output();
    let version = String::from_utf8(output.context("`rustc` cannot be started")?.stdout)?;
    let words: Vec<_> = version.split_whitespace().take(2).collect();
    ensure!(words.len() == 2, "`rustc --version` printed {version:?}");
    Ok(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rise_beyond_the_limit_is_found_in_each_count() {
        let known = Counts { instructions: 1000, reads: 100, misses: 80, allocations: 3 };
        assert!(rises("hit", known, known, 3).is_empty());
        let within = Counts { instructions: 1030, reads: 103, misses: 103, allocations: 3 };
        assert!(rises("hit", known, within, 3).is_empty());
        let beyond = Counts { instructions: 1031, reads: 104, misses: 104, allocations: 4 };
        assert_eq!(
            rises("hit", known, beyond, 3),
            [
                "hit: instructions rose from 1000 to 1031",
                "hit: reads rose from 100 to 104",
                "hit: misses rose from 80 to 104",
                "hit: allocations rose from 3 to 4"
            ]
        );
        let less = Counts { instructions: 1, reads: 1, misses: 0, allocations: 0 };
        assert!(rises("hit", known, less, 3).is_empty());
    }
}
