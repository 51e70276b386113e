use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::port;
use crate::watched::Watched;

/// A Redis server of one's own, empty.
///
/// It listens on this machine alone, keeps an append-only file and evicts nothing, as a store of record must.
#[derive(Debug)]
pub struct Redis {
    url: String,
    _server: Watched,
}

impl Redis {
    /// Starts a server.
    ///
    /// # Errors
    ///
    /// None is installed, or it does not start.
    pub fn start() -> Result<Self> {
        let program = program()?;
        let folder = tempfile::Builder::new().prefix("hallpass-redis-").tempdir()?;
        let port = port::free()?;
        let mut server = Command::new(program);
        server.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""]);
        server.args(["--appendonly", "yes", "--maxmemory-policy", "noeviction", "--dir"]);
        server.arg(folder.path());
        let _server = Watched::start(folder, "KILL", &server, || answers(port).is_some())?;
        Ok(Self { url: format!("redis://127.0.0.1:{port}/"), _server })
    }

    /// `redis://HOST:PORT/`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// The server's program, where the search path has one.
pub(crate) fn program() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("redis-server"))
        .find(|program| program.is_file())
        .context("Redis is not installed (no `redis-server`): install the package `redis-server`")
}

/// Something, if the server answers `PING`.
fn answers(port: u16) -> Option<()> {
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    server.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
    server.write_all(b"PING\r\n").ok()?;
    let mut answer = [0; 7];
    server.read_exact(&mut answer).ok()?;
    (&answer == b"+PONG\r\n").then_some(())
}
