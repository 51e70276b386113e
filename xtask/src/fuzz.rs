//! `cargo xtask fuzz`: builds the targets of the package `hallpass-fuzz` with cargo-fuzz and runs
//! them with libFuzzer.

use std::fs::{self, File};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use cargo_metadata::camino::Utf8PathBuf;

use crate::process;
use crate::tool::tool;
use crate::workspace::Workspace;

/// The version of cargo-fuzz that is installed if there is none.
const VERSION: &str = "=0.13.2";

/// An input that takes longer than this counts as a hang.
const HANG: Duration = Duration::from_secs(10);

/// The maximum length of a generated input in bytes. Longer texts have a placeholder: `{LONG}`.
const LONGEST: usize = 512;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The target to run [default: all, one after the other]. An unknown name prints the list
    target: Option<String>,
    /// How long to run each target
    #[arg(long, default_value_t = 10)]
    minutes: u64,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let fuzzer = Fuzzer::new(workspace)?;
    let targets = match &arguments.target {
        None => fuzzer.targets.clone(),
        Some(name) if fuzzer.targets.contains(name) => vec![name.clone()],
        Some(name) => bail!("there is no fuzz target `{name}`, only {}", fuzzer.targets.join(", ")),
    };
    fuzzer.build()?;
    for target in targets {
        fuzzer.run(&target, Duration::from_secs(60 * arguments.minutes))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The fuzz targets and the place of their programs.
struct Fuzzer<'w> {
    workspace: &'w Workspace,
    targets: Vec<String>,
    /// The target triple of this machine, for which they are built.
    platform: String,
}

impl<'w> Fuzzer<'w> {
    fn new(workspace: &'w Workspace) -> Result<Self> {
        let package = workspace.package("hallpass-fuzz")?;
        let programs = package.targets.iter().filter(|target| target.is_bin());
        let targets = programs.map(|target| target.name.clone()).collect();
        let output = workspace.command("rustc").args(["--print", "host-tuple"]).output();
        let platform = String::from_utf8(output.context("`rustc` cannot be started")?.stdout)?;
        Ok(Self { workspace, targets, platform: platform.trim().to_owned() })
    }

    /// Builds all targets. They have no sanitizer: it would need the nightly compiler, and finds
    /// little in code without `unsafe`.
    fn build(&self) -> Result<()> {
        let mut build = tool(self.workspace, "cargo-fuzz", VERSION)?;
        build.args(["build", "--sanitizer", "none", "--target", &self.platform]);
        process::run(&mut build).context("the fuzz targets do not build")
    }

    /// Runs a target for that long, from its seeds and the corpus of earlier runs. Prints how many
    /// inputs were tried.
    ///
    /// # Errors
    ///
    /// Returns an error if parser and oracle disagree about an input, or if an input panics, hangs
    /// or exhausts the memory.
    fn run(&self, target: &str, time: Duration) -> Result<()> {
        let root = self.workspace.root();
        let directory = self.workspace.target("fuzz").join(target);
        let corpus = self.plant(target, directory.join("corpus"))?;
        let log = directory.join("log");
        let program = Utf8PathBuf::from_iter([&*self.platform, "release", target]);
        let mut command = self.workspace.command(self.workspace.target(program.as_str()));
        command
            .arg(corpus)
            .arg(format!("-dict={}", root.join(format!("fuzz/words/{target}.dict"))))
            .arg(format!("-artifact_prefix={directory}/"))
            .arg(format!("-max_total_time={}", time.as_secs()))
            .arg(format!("-timeout={}", HANG.as_secs()))
            .arg(format!("-max_len={LONGEST}"))
            .arg("-print_final_stats=1")
            // libFuzzer prints pages that matter only after a failure.
            .stderr(File::create(&log)?);
        let result = process::run(&mut command);
        let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        if let Err(error) = result {
            let story =
                text.lines().skip_while(|line| !line.contains("panicked at")).collect::<Vec<_>>();
            println!("{}", if story.is_empty() { text } else { story.join("\n") });
            return Err(error.context(format!(
                "{target}: the input is in {directory}. Run it again with `cargo run -p hallpass-fuzz \
                 --bin {target} -- FILE`. Add it to fuzz/seeds/{target}.txt with the fix"
            )));
        }
        let tried = text
            .lines()
            .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
            .with_context(|| format!("{log} does not contain the number of inputs"))?;
        println!("{target}: {} inputs; more in {log}", tried.trim());
        Ok(())
    }

    /// Writes each seed to a file of its own, as libFuzzer needs it.
    fn plant(&self, target: &str, corpus: Utf8PathBuf) -> Result<Utf8PathBuf> {
        let seeds = self.workspace.root().join(format!("fuzz/seeds/{target}.txt"));
        let seeds =
            fs::read_to_string(&seeds).with_context(|| format!("{seeds} cannot be read"))?;
        fs::create_dir_all(&corpus)?;
        for (number, seed) in (1..).zip(seeds.lines()) {
            fs::write(corpus.join(format!("seed-{number}")), seed)?;
        }
        Ok(corpus)
    }
}
