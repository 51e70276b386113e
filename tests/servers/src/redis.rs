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

/// How long a replica may take to catch up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A Redis server of one's own, empty.
///
/// It listens on this machine alone, keeps an append-only file and evicts nothing, as a store of
/// record must.
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
    /// After the server, which is in it.
    folder: Folder,
}

impl Redis {
    /// Starts a server.
    ///
    /// # Errors
    ///
    /// None is installed, or it does not start.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// The same with further options, such as `--maxmemory 10mb`, each word by itself.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_with(options: &[&str]) -> Result<Self> {
        Self::start_by(options, |_| Ok(None))
    }

    /// The same with a clock of its own, which [`set_clock`](Self::set_clock) moves.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), or there is no `cc`.
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

    /// Lets the server see so many seconds more than it is, or fewer, from now on.
    ///
    /// # Errors
    ///
    /// It has no clock of its own.
    pub fn set_clock(&self, seconds: i64) -> Result<()> {
        self.clock.as_ref().context("the server has no clock of its own")?.set(seconds)
    }

    /// `redis://HOST:PORT/`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Runs a command. Answers what `redis-cli` would print: of a list each element on a line of
    /// its own, of nothing nothing.
    ///
    /// # Errors
    ///
    /// What the server says, or it says nothing for ten seconds.
    pub fn run(&self, command: &[&str]) -> Result<String> {
        client::run(self.address(), command)
    }

    /// Ends the server as a loss of power would.
    ///
    /// # Errors
    ///
    /// It is down already.
    pub fn kill(&self) -> Result<()> {
        self.server.kill()
    }

    /// Ends the server in good order.
    ///
    /// # Errors
    ///
    /// It is down already.
    pub fn stop(&self) -> Result<()> {
        self.server.end(Signal::TERM)
    }

    /// Starts a server that is down with what its append-only file holds, on the port that it had.
    ///
    /// # Errors
    ///
    /// It runs, or does not start.
    pub fn start_again(&self) -> Result<()> {
        let mut server = clock::command(None, self.clock.as_ref(), program()?);
        server.args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--save", ""]);
        server.args(["--appendonly", "yes", "--maxmemory-policy", "noeviction", "--dir"]);
        server.arg(self.folder.path()).args(["--repl-diskless-sync-delay", "0"]);
        server.args(&self.options);
        self.server.start(&self.folder, "KILL", &server, || self.run(&["PING"]).is_ok())
    }

    /// Lets the server do nothing more for a while: it is reached, but does not answer.
    ///
    /// # Errors
    ///
    /// It is down.
    pub fn pause(&self) -> Result<()> {
        self.server.pause()
    }

    /// Lets the server go on.
    ///
    /// # Errors
    ///
    /// It is down.
    pub fn resume(&self) -> Result<()> {
        self.server.resume()
    }

    /// Starts a replica of this server, which has all that this one has and follows it,
    /// asynchronously.
    ///
    /// # Errors
    ///
    /// It does not start, or does not follow.
    pub fn replica(&self) -> Result<Self> {
        let replica = Self::start()?;
        replica.run(&["REPLICAOF", "127.0.0.1", &self.port.to_string()])?;
        self.wait_for(&replica)?;
        Ok(replica)
    }

    /// Waits until a replica has what this server has by now.
    ///
    /// # Errors
    ///
    /// It does not follow.
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
            ensure!(started.elapsed() < PATIENCE, "the replica does not follow");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Makes a replica a primary, with what it has.
    ///
    /// # Errors
    ///
    /// The server does not answer.
    pub fn promote(&self) -> Result<()> {
        self.run(&["REPLICAOF", "NO", "ONE"]).map(drop)
    }
}

/// A value out of what a server says of itself.
fn info<'a>(text: &'a str, name: &str) -> Result<&'a str> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.map(str::trim).with_context(|| format!("the server does not say its `{name}`"))
}

/// The server's program, where the search path has one.
pub(crate) fn program() -> Result<PathBuf> {
    on_path("redis-server")
        .context("Redis is not installed (no `redis-server`): install the package `redis-server`")
}
