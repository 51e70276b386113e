//! Runs the binary in a temporary folder and opens the service of its tokens.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use hallpass_core::Hallpass;
use hallpass_sqlite::SqliteStore;
use serde_json::Value;
use tempfile::TempDir;

/// The environment variables that the command reads.
const VARIABLES: [&str; 7] = [
    "HALLPASS_STORE",
    "HALLPASS_PREFIX",
    "HALLPASS_PEPPER_ID",
    "HALLPASS_PEPPER_FILE",
    "HALLPASS_LIMIT",
    "HALLPASS_POSTGRES_SCHEMA",
    "HALLPASS_REDIS_NAMESPACE",
];

/// A temporary folder with a store in it.
pub(crate) struct Place(TempDir);

/// The exit code and output of a command.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A token as `issue --json` shows it.
pub(crate) struct Issued {
    pub(crate) id: String,
    pub(crate) token: String,
}

impl Place {
    /// Creates an empty folder without a store.
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    /// Creates a folder with an empty store.
    pub(crate) fn new() -> Self {
        let place = Self::empty();
        place.run(&["migrate"]).done();
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> String {
        let path = self.path().join(name);
        std::fs::write(&path, content).expect("it is written");
        path.to_str().expect("UTF-8").to_owned()
    }

    /// Builds the command with this folder's store in `HALLPASS_STORE` and no standard input.
    pub(crate) fn command<T: AsRef<OsStr>>(&self, arguments: &[T]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        for name in VARIABLES {
            command.env_remove(name);
        }
        command.env("HALLPASS_STORE", "sqlite:tokens.db");
        command
    }

    pub(crate) fn run<T: AsRef<OsStr>>(&self, arguments: &[T]) -> Ended {
        Ended::of(&mut self.command(arguments))
    }

    /// Runs the command with `input` at its standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Ended {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("piped");
        // A command that does not read its input has ended by then.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        child.wait_with_output().expect("it ends").into()
    }

    /// Runs the command with `--json` and parses its output.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).done().json()
    }

    /// Issues a token for `alice` with these additional arguments.
    pub(crate) fn issue(&self, arguments: &[&str]) -> Issued {
        let start = ["issue", "--owner", "alice", "--name", "ci"];
        let token = self.json(&[&start, arguments].concat());
        let text = |member: &str| token[member].as_str().expect(member).to_owned();
        Issued { id: text("id"), token: text("token") }
    }

    /// Opens a service with this folder's store.
    pub(crate) async fn service(&self) -> Hallpass {
        let store = SqliteStore::open(self.path().join("tokens.db")).await.expect("it opens");
        Hallpass::builder(store).build()
    }

    /// Returns whether the service authenticates that token.
    pub(crate) fn works(&self, token: &str) -> bool {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let service = self.service().await;
            let works = service.authenticate(token.as_bytes()).await.is_ok();
            service.shutdown().await.expect("it ends");
            works
        })
    }
}

impl From<std::process::Output> for Ended {
    fn from(output: std::process::Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Self {
            code: output.status.code().expect("no signal ended it"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Ended {
    pub(crate) fn of(command: &mut Command) -> Self {
        command.output().expect("it starts").into()
    }

    /// Asserts that the command succeeded.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    /// Asserts the exit code and an empty standard output, and returns the error message.
    #[track_caller]
    pub(crate) fn failed(&self, code: i32) -> &str {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{self:?}");
        self.complaint()
    }

    /// Returns the error message: the last line of standard error.
    #[track_caller]
    pub(crate) fn complaint(&self) -> &str {
        let last = self.stderr.trim_end().lines().last().unwrap_or_default();
        last.strip_prefix("hallpass: ").unwrap_or_else(|| panic!("{self:?}"))
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
