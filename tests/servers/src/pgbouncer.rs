use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::account::{self, Account};
use crate::folder::Folder;
use crate::package::on_path;
use crate::port;
use crate::postgres::{Postgres, own_folder};
use crate::running::Running;

/// `PgBouncer` in front of a [`Postgres`] server.
///
/// It accepts every client without a password, and takes the idle connections to the server in turn
/// (`server_round_robin`).
///
/// ```no_run
/// # fn main() -> anyhow::Result<()> {
/// let server = hallpass_servers::Postgres::start()?;
/// let pooler = hallpass_servers::PgBouncer::start_with(&server, &["pool_mode=transaction"])?;
/// assert_eq!(server.run_at(&pooler.url(server.url()), "select 40 + 2")?, "42");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct PgBouncer {
    port: u16,
    server: SocketAddr,
    program: PathBuf,
    pooler: Running,
    /// Declared after the pooler, so that it is dropped after it.
    folder: Folder,
}

impl PgBouncer {
    /// Starts a pooler with further settings, such as `pool_mode=transaction`. If this process runs
    /// as root, the pooler runs as an unprivileged user.
    ///
    /// # Errors
    ///
    /// Returns an error if `PgBouncer` is not installed or does not start.
    pub fn start_with(server: &Postgres, settings: &[&str]) -> Result<Self> {
        let (program, folder, port) = (program()?, own_folder()?, port::free()?);
        let server = server.address();
        let settings = format!(
            "[databases]\n\
             * = host={} port={} user=postgres\n\
             [pgbouncer]\n\
             listen_addr = 127.0.0.1\n\
             listen_port = {port}\n\
             unix_socket_dir =\n\
             auth_type = any\n\
             server_round_robin = 1\n\
             {}\n",
            server.ip(),
            server.port(),
            settings.join("\n"),
        );
        fs::write(folder.path().join("pgbouncer.ini"), settings)?;
        let pooler = Self { port, server, program, pooler: Running::default(), folder };
        pooler.start_again()?;
        Ok(pooler)
    }

    /// Returns the address that the pooler listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Returns a URL of the server with the address of the pooler.
    #[must_use]
    pub fn url(&self, url: &str) -> String {
        url.replacen(&self.server.to_string(), &self.address().to_string(), 1)
    }

    /// Stops the pooler immediately. Its client connections are lost.
    ///
    /// # Errors
    ///
    /// Returns an error if the pooler is not running.
    pub fn stop(&self) -> Result<()> {
        self.pooler.end(Signal::TERM)
    }

    /// Starts a stopped pooler again, on the same port.
    ///
    /// # Errors
    ///
    /// Returns an error if the pooler is running or does not start.
    pub fn start_again(&self) -> Result<()> {
        let account = Account::unprivileged()?;
        let mut pooler = account::command(account.as_ref(), &self.program);
        pooler.arg(self.folder.path().join("pgbouncer.ini"));
        let listens = || std::net::TcpStream::connect(self.address()).is_ok();
        self.pooler.start(&self.folder, "TERM", &pooler, listens)
    }
}

/// Returns the path of the `pgbouncer` program: from `PATH`, or where Debian installs it.
pub(crate) fn program() -> Result<PathBuf> {
    let debians = PathBuf::from("/usr/sbin/pgbouncer");
    on_path("pgbouncer")
        .or_else(|| debians.is_file().then_some(debians))
        .context("PgBouncer is not installed (no `pgbouncer`): install the package `pgbouncer`")
}
