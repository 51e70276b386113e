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
/// It lets in everybody, and gives its connections to the server to its clients in turn.
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
    /// After the pooler, which is in it.
    folder: Folder,
}

impl PgBouncer {
    /// Starts one with further settings, such as `pool_mode=transaction`, as an unprivileged user
    /// if this process is root's.
    ///
    /// # Errors
    ///
    /// It is not installed, or does not start.
    pub fn start_with(server: &Postgres, settings: &[&str]) -> Result<Self> {
        let (program, folder, port) = (program()?, own_folder()?, port::free()?);
        let server = server.address();
        let settings = format!(
            "[databases]\n\
             * = host={} port={} user=hallpass\n\
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

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// A URL of the server's, by way of the pooler.
    #[must_use]
    pub fn url(&self, url: &str) -> String {
        url.replacen(&self.server.to_string(), &self.address().to_string(), 1)
    }

    /// Ends it at once. Its clients' connections are lost.
    ///
    /// # Errors
    ///
    /// It is down already.
    pub fn stop(&self) -> Result<()> {
        self.pooler.end(Signal::TERM)
    }

    /// Starts one that is down on the port that it had.
    ///
    /// # Errors
    ///
    /// It runs, or does not start.
    pub fn start_again(&self) -> Result<()> {
        let account = Account::unprivileged()?;
        let mut pooler = account::command(account.as_ref(), &self.program);
        pooler.arg(self.folder.path().join("pgbouncer.ini"));
        let listens = || std::net::TcpStream::connect(self.address()).is_ok();
        self.pooler.start(&self.folder, "TERM", &pooler, listens)
    }
}

/// The pooler's program, where the search path or Debian has one.
pub(crate) fn program() -> Result<PathBuf> {
    let debians = PathBuf::from("/usr/sbin/pgbouncer");
    on_path("pgbouncer")
        .or_else(|| debians.is_file().then_some(debians))
        .context("PgBouncer is not installed (no `pgbouncer`): install the package `pgbouncer`")
}
