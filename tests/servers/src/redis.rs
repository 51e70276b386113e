mod client;
mod cluster;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

pub use self::cluster::RedisCluster;
use crate::clock::{self, Clock};
use crate::folder::Folder;
use crate::package::on_path;
use crate::port;
use crate::running::Running;

/// The time limit for a replica to catch up, and for a cluster to become ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// A private, empty Redis server.
///
/// It listens on the loopback address only. It keeps an append-only file and evicts nothing, as a
/// store of record must.
///
/// ```no_run
/// # fn main() -> anyhow::Result<()> {
/// let server = hallpass_servers::Redis::start()?;
/// server.run(&["SET", "pass", "1"])?;
/// server.kill()?;
/// server.start_again()?;
/// assert_eq!(server.run(&["GET", "pass"])?, "1");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Redis {
    port: u16,
    url: String,
    options: Vec<String>,
    clock: Option<Clock>,
    server: Running,
    /// Declared after the server, so that it is dropped after it.
    folder: Folder,
}

impl Redis {
    /// Starts a server.
    ///
    /// # Errors
    ///
    /// Returns an error if Redis is not installed or does not start.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// Starts a server with further command line arguments, such as `["--maxmemory", "10mb"]`.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`start`](Self::start).
    pub fn start_with(options: &[&str]) -> Result<Self> {
        Self::start_by(options, |_| Ok(None))
    }

    /// Starts a server with its own clock, which [`set_clock`](Self::set_clock) moves.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`start`](Self::start), and an error if `cc` cannot be run.
    pub fn start_with_clock(options: &[&str]) -> Result<Self> {
        Self::start_by(options, |folder| Clock::new(folder).map(Some))
    }

    fn start_by(
        options: &[&str],
        clock: impl FnOnce(&Folder) -> Result<Option<Clock>>,
    ) -> Result<Self> {
        let folder = Folder::new("hallpass-redis-")?;
        let clock = clock(&folder)?;
        let port = port::free()?;
        let url = format!("redis://127.0.0.1:{port}/");
        let options = options.iter().map(|&option| option.to_owned()).collect();
        let server = Self { port, url, options, clock, server: Running::default(), folder };
        server.start_again()?;
        Ok(server)
    }

    /// Sets the server's clock to the time of the machine plus a number of seconds, which may be
    /// negative.
    ///
    /// # Errors
    ///
    /// Returns an error if the server was started without its own clock.
    pub fn set_clock(&self, seconds: i64) -> Result<()> {
        self.clock.as_ref().context("the server has no clock of its own")?.set(seconds)
    }

    /// Returns the URL `redis://HOST:PORT/`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the address that the server listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Runs a command and returns the reply as `redis-cli` prints it: each element of a list on its
    /// own line, and nothing for a nil reply.
    ///
    /// # Errors
    ///
    /// Returns the error message of the server, or an error if it does not reply within 10 seconds.
    pub fn run(&self, command: &[&str]) -> Result<String> {
        client::run(self.address(), command)
    }

    /// Kills the server, to simulate a loss of power.
    ///
    /// # Errors
    ///
    /// Returns an error if the server is not running.
    pub fn kill(&self) -> Result<()> {
        self.server.kill()
    }

    /// Shuts the server down in order.
    ///
    /// # Errors
    ///
    /// Returns an error if the server is not running.
    pub fn stop(&self) -> Result<()> {
        self.server.end(Signal::TERM)
    }

    /// Starts a stopped server again, with the data of its append-only file and on the same port.
    ///
    /// # Errors
    ///
    /// Returns an error if the server is running or does not start.
    pub fn start_again(&self) -> Result<()> {
        let mut server = clock::command(None, self.clock.as_ref(), program()?);
        server.args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--save", ""]);
        server.args(["--appendonly", "yes", "--maxmemory-policy", "noeviction", "--dir"]);
        server.arg(self.folder.path()).args(["--repl-diskless-sync-delay", "0"]);
        server.args(&self.options);
        self.server.start(&self.folder, "KILL", &server, || self.run(&["PING"]).is_ok())
    }

    /// Suspends the server. Clients can still connect, but get no reply.
    ///
    /// # Errors
    ///
    /// Returns an error if the server is not running.
    pub fn pause(&self) -> Result<()> {
        self.server.pause()
    }

    /// Resumes the server after [`pause`](Self::pause).
    ///
    /// # Errors
    ///
    /// Returns an error if the server is not running.
    pub fn resume(&self) -> Result<()> {
        self.server.resume()
    }

    /// Starts a replica of this server, with a copy of its data and asynchronous replication.
    ///
    /// # Errors
    ///
    /// Returns an error if the replica does not start or does not replicate.
    pub fn replica(&self) -> Result<Self> {
        let replica = Self::start()?;
        replica.run(&["REPLICAOF", "127.0.0.1", &self.port.to_string()])?;
        self.wait_for(&replica)?;
        Ok(replica)
    }

    /// Waits until a replica has received everything that was written to this server so far.
    ///
    /// # Errors
    ///
    /// Returns an error if the replica does not catch up within 30 seconds.
    pub fn wait_for(&self, replica: &Self) -> Result<()> {
        let here: u64 =
            info(&self.run(&["INFO", "replication"])?, "master_repl_offset")?.parse()?;
        let started = Instant::now();
        loop {
            let there = replica.run(&["INFO", "replication"])?;
            let offset: u64 = info(&there, "slave_repl_offset")?.parse()?;
            if info(&there, "master_link_status")? == "up" && offset >= here {
                return Ok(());
            }
            ensure!(started.elapsed() < PATIENCE, "the replica did not catch up in time");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Promotes this replica to a primary, with the data that it has received.
    ///
    /// # Errors
    ///
    /// Returns an error if the server does not respond.
    pub fn promote(&self) -> Result<()> {
        self.run(&["REPLICAOF", "NO", "ONE"]).map(drop)
    }
}

/// Returns the value of a field in the reply to an `INFO` command.
fn info<'a>(text: &'a str, name: &str) -> Result<&'a str> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.map(str::trim).with_context(|| format!("the reply of the server has no field `{name}`"))
}

/// Returns the path of the `redis-server` program in `PATH`.
pub(crate) fn program() -> Result<PathBuf> {
    on_path("redis-server")
        .context("Redis is not installed (no `redis-server`): install the package `redis-server`")
}
