use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::account::{self, Account};
use crate::folder::Folder;
use crate::package::on_path;
use crate::port;
use crate::postgres::own_folder;
use crate::running::Running;

/// The folders for bodies that are too large for memory. By default they are the system's own.
const BODIES: &str = "http {
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
";

/// nginx with a whole configuration file of the caller's, in a folder of its own.
#[derive(Debug)]
pub struct ConfiguredNginx {
    port: u16,
    server: Running,
    /// After the server, which is in it.
    folder: Folder,
}

impl ConfiguredNginx {
    /// Starts nginx with the configuration for a port, as an unprivileged user if this process is
    /// root's. Relative paths in the configuration lead to the folder.
    ///
    /// # Errors
    ///
    /// Returns an error if nginx is not installed or does not start.
    pub fn start_with(configuration: impl FnOnce(u16) -> String) -> Result<Self> {
        let (program, folder, port) = (program()?, own_folder()?, port::free()?);
        let configuration = configuration(port).replacen("http {", BODIES, 1);
        fs::write(folder.path().join("nginx.conf"), configuration)?;
        let account = Account::unprivileged()?;
        let mut command = account::command(account.as_ref(), program);
        command.arg("-p").arg(folder.path()).args(["-c", "nginx.conf", "-e", "stderr"]);
        command.args(["-g", "daemon off;"]);
        let nginx = Self { port, server: Running::default(), folder };
        let listens = || std::net::TcpStream::connect(nginx.address()).is_ok();
        nginx.server.start(&nginx.folder, "TERM", &command, listens)?;
        Ok(nginx)
    }

    /// Returns the address at which it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Ends nginx in good order: requests are answered, and logs are written.
    ///
    /// # Errors
    ///
    /// Returns an error if it is down already.
    pub fn stop(&self) -> Result<()> {
        self.server.end(Signal::QUIT)
    }

    /// Reads a file of its folder, such as a log.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read.
    pub fn read(&self, name: &str) -> Result<String> {
        fs::read_to_string(self.folder.path().join(name)).context("the file cannot be read")
    }
}

/// Returns the program's path, if the search path or Debian has one.
pub(crate) fn program() -> Result<PathBuf> {
    let debians = PathBuf::from("/usr/sbin/nginx");
    on_path("nginx")
        .or_else(|| debians.is_file().then_some(debians))
        .context("nginx is not installed: install the package `nginx`")
}
