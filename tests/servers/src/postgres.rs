use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::account::{self, Account};
use crate::port;
use crate::watched::Watched;

/// Where Debian keeps the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// A PostgreSQL server of one's own, with an empty database.
///
/// It listens on this machine alone and trusts everybody. What is committed survives the server's end, but not
/// the machine's (`fsync` is off): its folder does not outlive it anyway.
#[derive(Debug)]
pub struct Postgres {
    url: String,
    programs: PathBuf,
    _server: Watched,
}

impl Postgres {
    /// Starts a server of the newest version that is installed, as an unprivileged user if this process is
    /// root's.
    ///
    /// # Errors
    ///
    /// None is installed, or it does not start.
    pub fn start() -> Result<Self> {
        let programs = newest_programs()?;
        let account = Account::unprivileged()?;
        let folder = tempfile::Builder::new().prefix("hallpass-postgres-").tempdir()?;
        if let Some(account) = &account {
            account.own(folder.path())?;
        }
        let data = folder.path().join("data");
        let made = account::command(account.as_ref(), programs.join("initdb"))
            .arg("--pgdata")
            .arg(&data)
            .args(["--username=hallpass", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"])
            .args(["--no-sync", "--no-instructions"])
            .current_dir(folder.path())
            .output()
            .context("`initdb` cannot be run")?;
        ensure!(made.status.success(), "`initdb`: {}", String::from_utf8_lossy(&made.stderr));

        let port = port::free()?;
        let mut server = account::command(account.as_ref(), programs.join("postgres"));
        server.arg("-D").arg(&data).arg("-p").arg(port.to_string());
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "max_connections=200",
        ] {
            server.args(["-c", setting]);
        }
        let is_ready = || answers(&programs, port);
        // At once, without a checkpoint: nobody reads the data again.
        let _server = Watched::start(folder, "QUIT", &server, is_ready)?;
        Ok(Self {
            url: format!("postgres://hallpass@127.0.0.1:{port}/postgres"),
            programs,
            _server,
        })
    }

    /// `postgres://USER@HOST:PORT/DATABASE`, for a user who may do everything.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// One of the programs that came with the server, such as `psql`.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }
}

/// The folder of the newest version's programs.
pub(crate) fn newest_programs() -> Result<PathBuf> {
    let versions = fs::read_dir(VERSIONS).into_iter().flatten().filter_map(|entry| {
        let folder = entry.ok()?.path();
        let version: u32 = folder.file_name()?.to_str()?.parse().ok()?;
        let programs = folder.join("bin");
        programs.join("postgres").is_file().then_some((version, programs))
    });
    let newest = versions.max_by_key(|(version, _)| *version);
    newest.map(|(_, programs)| programs).with_context(|| {
        format!("PostgreSQL is not installed (no {VERSIONS}/*/bin/postgres): install the package `postgresql`")
    })
}

fn answers(programs: &Path, port: u16) -> bool {
    let status = Command::new(programs.join("pg_isready"))
        .args(["--quiet", "--host=127.0.0.1", "--port"])
        .arg(port.to_string())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}
