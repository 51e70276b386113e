//! A server's own clock, which a test moves. The server is as it always is; what it asks the system
//! for the time goes through a small library of ours, written in C, which the linker that builds
//! the tests compiles.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::account::{self, Account};
use crate::folder::Folder;

const SOURCE: &str = include_str!("clock.c");

/// By how much a server's clock is ahead of the machine's.
#[derive(Debug)]
pub(crate) struct Clock {
    library: PathBuf,
    path: PathBuf,
    ahead: File,
}

impl Clock {
    /// The machine's time at first, for a server in that folder.
    pub(crate) fn new(folder: &Folder) -> Result<Self> {
        let library = folder.path().join("clock.so");
        compile(&library)?;
        let path = folder.path().join("clock");
        let clock = Self { library, ahead: File::create(&path)?, path };
        clock.set(0)?;
        Ok(clock)
    }

    /// Lets the server see from now on so many seconds more than it is, or fewer.
    pub(crate) fn set(&self, seconds: i64) -> Result<()> {
        self.ahead.write_all_at(&seconds.to_ne_bytes(), 0).context("the clock cannot be set")
    }
}

/// The program, run as this account and by this clock if there are such.
pub(crate) fn command(
    account: Option<&Account>,
    clock: Option<&Clock>,
    program: impl AsRef<Path>,
) -> Command {
    let Some(Clock { library, path, .. }) = clock else {
        return account::command(account, program);
    };
    // Behind whoever changes the user, who is not to see another time.
    let mut command = account::command(account, "env");
    command.arg(format!("LD_PRELOAD={}", library.display()));
    command.arg(format!("HALLPASS_CLOCK={}", path.display())).arg(program.as_ref());
    command
}

fn compile(library: &Path) -> Result<()> {
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-x", "c", "-o"]).arg(library);
    compiler.arg("-").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut compiling = compiler.spawn().context("`cc`, which links the tests, cannot be run")?;
    let mut input = compiling.stdin.take().context("`cc` takes no input")?;
    input.write_all(SOURCE.as_bytes())?;
    drop(input);
    let compiled = compiling.wait_with_output()?;
    let said = String::from_utf8_lossy(&compiled.stderr);
    ensure!(compiled.status.success(), "the clock cannot be compiled: {said}");
    Ok(())
}
