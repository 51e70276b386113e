use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// How long a server may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a server until its own input ends, stops it, and removes its folder. If the server ends by itself,
/// the end of its log goes to the standard error.
const WATCH: &str = r#"
folder=$1 signal=$2; shift 2
exec 3<&0
"$@" >"$folder/log" 2>&1 </dev/null 3<&- &
server=$!
# Nobody may be left to read what is said.
trap '' PIPE
( read -r _ <&3; kill -s "$signal" "$server" ) 2>/dev/null & watcher=$!
wait "$server"
kill "$watcher" 2>/dev/null && tail -n 20 "$folder/log" >&2
rm -rf "$folder"
"#;

/// A server that ends with this value, or with this process.
#[derive(Debug)]
pub(crate) struct Watched {
    shell: Child,
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
        folder: TempDir,
        signal: &str,
        server: &Command,
        is_ready: impl Fn() -> bool,
    ) -> Result<Self> {
        let mut shell = Command::new("sh");
        shell.args(["-c", WATCH, "watch"]).arg(folder.path()).arg(signal);
        shell.arg(server.get_program()).args(server.get_args());
        // Out of reach of a terminal's Ctrl-C, which would take the shell first.
        shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let shell = shell.spawn().context("`sh` cannot be run")?;
        let mut watched = Self { shell };
        // From here on it is the shell that removes it.
        let folder = folder.keep();
        watched.wait_until(&folder, is_ready)?;
        Ok(watched)
    }

    fn wait_until(&mut self, folder: &Path, is_ready: impl Fn() -> bool) -> Result<()> {
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
                let log = std::fs::read_to_string(log(folder)).unwrap_or_default();
                bail!("the server was not ready within {} s:\n{log}", PATIENCE.as_secs());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

fn log(folder: &Path) -> PathBuf {
    folder.join("log")
}

impl Drop for Watched {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // Where the shell cannot be waited for, it is gone already.
        let _ = self.shell.wait();
    }
}
