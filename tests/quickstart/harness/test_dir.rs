use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::timeout;

use super::{PATIENCE, Program, Server};

/// A folder, and what is started in it.
pub(crate) struct Place(TempDir);

/// How a process ended that was not to stay.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The names of the files in it, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).expect("the directory");
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.expect("an entry").file_name().into_string().expect("UTF-8")
        };
        let mut names: Vec<_> = entries.map(name).collect();
        names.sort();
        names
    }

    /// Where the quickstart keeps its tokens by default.
    pub(crate) fn database(&self) -> PathBuf {
        self.path().join("quickstart.db")
    }

    /// The quickstart with these arguments alone.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(Program::Quickstart, arguments)
    }

    /// An example with these arguments alone.
    pub(crate) fn command_of(&self, program: Program, arguments: &[&str]) -> Command {
        let mut command = Command::new(program.path());
        command.args(arguments).current_dir(self.path()).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for name in ["HALLPASS_LISTEN", "HALLPASS_STORE", "HALLPASS_LIMIT", "HALLPASS_CONFIRM"] {
            command.env_remove(name);
        }
        command
    }

    /// Starts it on a port that it picks, and waits until it is ready.
    pub(crate) async fn start(&self, arguments: &[&str]) -> Server {
        Server::started(self.command(&[&["--listen", "127.0.0.1:0"], arguments].concat())).await
    }

    /// Runs it to its end, which must come.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments)).await
    }
}

impl Ended {
    pub(crate) async fn of(mut command: Command) -> Self {
        let output =
            timeout(PATIENCE, command.output()).await.expect("it ends").expect("it starts");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}
