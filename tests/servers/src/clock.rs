//! Provides a server with a clock that a test can move. The server itself is not changed: a small
//! library in C, preloaded with `LD_PRELOAD`, replaces the functions that return the time. The
//! library is compiled with `cc`, which is present because it also links the tests.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::account::{self, Account};
use crate::folder::Folder;

const SOURCE: &str = include_str!("clock.c");

/// The offset of a server's clock from the clock of the machine.
#[derive(Debug)]
pub(crate) struct Clock {
    library: PathBuf,
    path: PathBuf,
    ahead: File,
}

impl Clock {
    /// Creates a clock for the server in `folder`. It shows the time of the machine at first.
    pub(crate) fn new(folder: &Folder) -> Result<Self> {
        let library = folder.path().join("clock.so");
        compile(&library)?;
        let path = folder.path().join("clock");
        let clock = Self { library, ahead: File::create(&path)?, path };
        clock.set(0)?;
        Ok(clock)
    }

    /// Sets the offset in seconds. A negative offset moves the clock back.
    pub(crate) fn set(&self, seconds: i64) -> Result<()> {
        self.ahead
            .write_all_at(&seconds.to_ne_bytes(), 0)
            .context("cannot write the offset of the clock")
    }
}

/// Returns a command that runs the program as the given account and with the given clock, if any.
pub(crate) fn command(
    account: Option<&Account>,
    clock: Option<&Clock>,
    program: impl AsRef<Path>,
) -> Command {
    let Some(Clock { library, path, .. }) = clock else {
        return account::command(account, program);
    };
    // The library is loaded after the change of the account: `setpriv` must not load it.
    let mut command = account::command(account, "env");
    command.arg(format!("LD_PRELOAD={}", library.display()));
    command.arg(format!("HALLPASS_CLOCK={}", path.display())).arg(program.as_ref());
    command
}

fn compile(library: &Path) -> Result<()> {
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-x", "c", "-o"]).arg(library);
    compiler.arg("-").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut compiling = compiler.spawn().context("cannot run `cc`")?;
    let mut input = compiling.stdin.take().context("`cc` has no standard input")?;
    input.write_all(SOURCE.as_bytes())?;
    drop(input);
    let compiled = compiling.wait_with_output()?;
    let errors = String::from_utf8_lossy(&compiled.stderr);
    ensure!(compiled.status.success(), "cannot compile the clock library: {errors}");
    Ok(())
}
