use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::timeout;

use super::{PATIENCE, Program, Server};

/// A temporary folder in which the programs run.
pub(crate) struct TestDir(TempDir);

/// The exit code and the output of a process that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl TestDir {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Returns the sorted names of the files in the folder.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).expect("the directory");
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.expect("an entry").file_name().into_string().expect("UTF-8")
        };
        let mut names: Vec<_> = entries.map(name).collect();
        names.sort();
        names
    }

    /// Returns the default path of the quickstart's database.
    pub(crate) fn database(&self) -> PathBuf {
        self.path().join("quickstart.db")
    }

    /// Returns a command that runs the quickstart with the given arguments, without `HALLPASS_*`
    /// variables.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(Program::Quickstart, arguments)
    }

    /// Returns a command that runs an example with the given arguments, without `HALLPASS_*`
    /// variables.
    pub(crate) fn command_of(&self, program: Program, arguments: &[&str]) -> Command {
        let mut command = Command::new(program.path());
        command.args(arguments).current_dir(self.path()).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for name in ["HALLPASS_LISTEN", "HALLPASS_STORE", "HALLPASS_LIMIT", "HALLPASS_CONFIRM"] {
            command.env_remove(name);
        }
        command
    }

    /// Starts the quickstart on a free port and waits until it is ready.
    pub(crate) async fn start(&self, arguments: &[&str]) -> Server {
        Server::started(self.command(&[&["--listen", "127.0.0.1:0"], arguments].concat())).await
    }

    /// Runs the quickstart with arguments that make it end by itself.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments)).await
    }
}

impl Ended {
    pub(crate) async fn of(mut command: Command) -> Self {
        let output = timeout(PATIENCE, command.output())
            .await
            .expect("the program does not end")
            .expect("the program does not start");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}
