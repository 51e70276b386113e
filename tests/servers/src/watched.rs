use std::fs;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal};

use crate::family::{self, signal_all};
use crate::folder::Folder;

/// The time limit for a server to become ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// A shell script that runs a server and stops it when the script's own input ends. If the server
/// ends by itself, the script writes the end of the log to its standard error. The standard output
/// of the script keeps the folder of the server.
const WATCH: &str = r#"
folder=$1 signal=$2; shift 2
exec 3<&0
"$@" >>"$folder/log" 2>&1 </dev/null 3<&- &
server=$!
echo "$server" >"$folder/pid"
# The reader of the standard error may have ended.
trap '' PIPE
( read -r _ <&3; kill -s "$signal" "$server"; kill -s CONT "$server" ) 2>/dev/null & watcher=$!
wait "$server"
kill "$watcher" 2>/dev/null && tail -n 20 "$folder/log" >&2
"#;

/// A server that is stopped when this value is dropped or this process ends.
#[derive(Debug)]
pub(crate) struct Watched {
    shell: Child,
    pid: PathBuf,
}

impl Watched {
    /// Starts a server in its folder and waits until it is ready.
    ///
    /// `signal` is the name of the signal that stops the server immediately.
    ///
    /// # Errors
    ///
    /// Returns an error if the server ends or is not ready within 30 seconds.
    pub(crate) fn start(
        folder: &Folder,
        signal: &str,
        server: &Command,
        is_ready: impl Fn() -> bool,
    ) -> Result<Self> {
        let pid = folder.path().join("pid");
        let mut shell = Command::new("sh");
        shell.args(["-c", WATCH, "watch"]).arg(folder.path()).arg(signal);
        shell.arg(server.get_program()).args(server.get_args());
        // In a process group of its own, so that Ctrl-C in a terminal does not end the shell.
        shell.process_group(0).stdin(Stdio::piped()).stdout(folder.hold()?).stderr(Stdio::piped());
        let shell = shell.spawn().context("cannot run `sh`")?;
        let mut watched = Self { shell, pid };
        watched.wait_until(folder, is_ready)?;
        Ok(watched)
    }

    fn wait_until(&mut self, folder: &Folder, is_ready: impl Fn() -> bool) -> Result<()> {
        let started = Instant::now();
        while !is_ready() {
            if self.shell.try_wait()?.is_some() {
                let mut log = String::new();
                if let Some(mut errors) = self.shell.stderr.take() {
                    errors.read_to_string(&mut log)?;
                }
                bail!("the server did not start:\n{log}");
            }
            if started.elapsed() > PATIENCE {
                let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
                bail!("the server was not ready within {} s:\n{log}", PATIENCE.as_secs());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Kills all processes of the server at once, so that none can notify a client. This simulates
    /// a loss of power.
    pub(crate) fn kill(self) -> Result<()> {
        // Paused first: a process could otherwise react to the end of another one.
        self.pause()?;
        let family = family::of(self.server()?)?;
        signal_all(&family, Signal::KILL)?;
        family::wait_for_exit(&family)
    }

    /// Suspends all processes of the server. It keeps its connections, and requests wait.
    pub(crate) fn pause(&self) -> Result<()> {
        self.signal(Signal::STOP)?;
        // The second round stops children that were started during the first one. A suspended
        // parent starts no more.
        self.signal(Signal::STOP)
    }

    /// Resumes the server after [`pause`](Self::pause).
    pub(crate) fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// Sends a signal to the server and waits until it has ended.
    pub(crate) fn end(mut self, signal: Signal) -> Result<()> {
        rustix::process::kill_process(self.server()?, signal)?;
        self.shell.wait()?;
        Ok(())
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        signal_all(&family::of(self.server()?)?, signal)
    }

    fn server(&self) -> Result<Pid> {
        let text =
            fs::read_to_string(&self.pid).context("cannot read the process id of the server")?;
        let number = text.trim().parse().ok().and_then(Pid::from_raw);
        number.with_context(|| format!("invalid process id of the server: {text:?}"))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // An error means that the shell has already ended.
        let _ = self.shell.wait();
    }
}
