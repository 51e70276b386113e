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

/// How long a server may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a server until its own input ends, and stops it. If the server ends by itself, the end of
/// its log goes to the standard error. Its standard output is what holds the folder.
const WATCH: &str = r#"
folder=$1 signal=$2; shift 2
exec 3<&0
"$@" >>"$folder/log" 2>&1 </dev/null 3<&- &
server=$!
echo "$server" >"$folder/pid"
# Nobody may be left to read what is said.
trap '' PIPE
( read -r _ <&3; kill -s "$signal" "$server"; kill -s CONT "$server" ) 2>/dev/null & watcher=$!
wait "$server"
kill "$watcher" 2>/dev/null && tail -n 20 "$folder/log" >&2
"#;

/// A server that ends with this value, or with this process.
#[derive(Debug)]
pub(crate) struct Watched {
    shell: Child,
    pid: PathBuf,
}

impl Watched {
    /// Starts a server in its folder, and waits until it is ready.
    ///
    /// `signal` is what makes it end at once.
    ///
    /// # Errors
    ///
    /// It ends, or is not ready within half a minute.
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
        // Out of reach of a terminal's Ctrl-C, which would take the shell first.
        shell.process_group(0).stdin(Stdio::piped()).stdout(folder.hold()?).stderr(Stdio::piped());
        let shell = shell.spawn().context("`sh` cannot be run")?;
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

    /// Ends the server as a loss of power would: at once, all of its processes, without a word to
    /// anybody.
    pub(crate) fn kill(self) -> Result<()> {
        // Those that are told first might tell the others.
        self.pause()?;
        let family = family::of(self.server()?)?;
        signal_all(&family, Signal::KILL)?;
        family::wait_for_the_end(&family)
    }

    /// Lets the server do nothing more for a while, and keep all it has. What it is asked waits.
    pub(crate) fn pause(&self) -> Result<()> {
        self.signal(Signal::STOP)?;
        // Who was born meanwhile has no more brothers after that.
        self.signal(Signal::STOP)
    }

    /// Lets the server go on.
    pub(crate) fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// Asks the server to end, and waits until it has.
    pub(crate) fn end(mut self, signal: Signal) -> Result<()> {
        rustix::process::kill_process(self.server()?, signal)?;
        self.shell.wait()?;
        Ok(())
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        signal_all(&family::of(self.server()?)?, signal)
    }

    fn server(&self) -> Result<Pid> {
        let text = fs::read_to_string(&self.pid).context("the server's number is not known")?;
        let number = text.trim().parse().ok().and_then(Pid::from_raw);
        number.context("the server's number is none")
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // Where the shell cannot be waited for, it is gone already.
        let _ = self.shell.wait();
    }
}
