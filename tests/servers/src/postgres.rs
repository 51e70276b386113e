mod programs;
mod standby;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

pub(crate) use self::programs::newest_programs;
use crate::account::{self, Account};
use crate::clock::{self, Clock};
use crate::folder::Folder;
use crate::package::Package;
use crate::port;
use crate::running::Running;

/// The data of a server with nothing in it: to make it takes much longer than to copy it.
fn template() -> Result<PathBuf> {
    static TEMPLATE: Mutex<Option<Folder>> = Mutex::new(None);
    let mut template = TEMPLATE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = match &*template {
        Some(folder) => folder,
        None => {
            let folder = own_folder()?;
            make(&folder, &newest_programs()?.join("initdb"), |initdb| {
                initdb.arg("--pgdata").arg(folder.path().join("data"));
                initdb.args(["--username=hallpass", "--auth=trust", "--encoding=UTF8"]);
                initdb.args(["--locale=C.UTF-8", "--no-sync", "--no-instructions"])
            })?;
            template.insert(folder)
        }
    };
    Ok(folder.path().join("data"))
}

/// A folder for whoever the server runs as.
pub(crate) fn own_folder() -> Result<Folder> {
    let folder = Folder::new("hallpass-postgres-")?;
    if let Some(account) = Account::unprivileged()? {
        account.own(folder.path())?;
    }
    Ok(folder)
}

fn owned(settings: &[&str]) -> Vec<String> {
    settings.iter().map(|&setting| setting.to_owned()).collect()
}

/// Runs one of the programs that make a server's data.
fn make(
    folder: &Folder,
    program: &Path,
    say: impl FnOnce(&mut Command) -> &mut Command,
) -> Result<()> {
    let account = Account::unprivileged()?;
    let mut command = account::command(account.as_ref(), program);
    let made = say(&mut command).current_dir(folder.path()).output();
    let made = made.with_context(|| format!("`{}` cannot be run", program.display()))?;
    let said = String::from_utf8_lossy(&made.stderr);
    ensure!(made.status.success(), "`{}`: {said}", program.display());
    Ok(())
}

/// A PostgreSQL server of one's own, with an empty database.
///
/// It listens on this machine alone and trusts everybody. What is committed survives the server's
/// end, but not the machine's (`fsync` is off): its folder does not outlive it anyway.
///
/// ```no_run
/// # fn main() -> anyhow::Result<()> {
/// let server = hallpass_servers::Postgres::start()?;
/// assert_eq!(server.run("select 40 + 2")?, "42");
/// server.kill()?;
/// server.start_again()?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    url: String,
    programs: PathBuf,
    settings: Vec<String>,
    clock: Option<Clock>,
    server: Running,
    /// After the server, which is in it.
    folder: Folder,
}

impl Postgres {
    /// Starts a server of the newest version that is installed, as an unprivileged user if this
    /// process is root's.
    ///
    /// # Errors
    ///
    /// None is installed, or it does not start.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// The same with further settings, such as `max_connections=20`.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_with(settings: &[&str]) -> Result<Self> {
        Self::prepare(owned(settings))?.start_empty()
    }

    /// The same with a clock of its own, which [`set_clock`](Self::set_clock) moves.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), or there is no `cc`.
    pub fn start_with_clock(settings: &[&str]) -> Result<Self> {
        let mut server = Self::prepare(owned(settings))?;
        server.clock = Some(Clock::new(&server.folder)?);
        server.start_empty()
    }

    fn start_empty(self) -> Result<Self> {
        let template = template()?;
        make(&self.folder, "cp".as_ref(), |cp| cp.arg("-R").arg(template).arg(self.data()))?;
        self.start_again()?;
        Ok(self)
    }

    /// Lets the server see so many seconds more than it is, or fewer, from now on.
    ///
    /// # Errors
    ///
    /// It has no clock of its own.
    pub fn set_clock(&self, seconds: i64) -> Result<()> {
        self.clock.as_ref().context("the server has no clock of its own")?.set(seconds)
    }

    /// A server without data, which does not run yet.
    fn prepare(settings: Vec<String>) -> Result<Self> {
        let programs = newest_programs()?;
        let folder = own_folder()?;
        let port = port::free()?;
        let url = format!("postgres://hallpass@127.0.0.1:{port}/postgres");
        let (clock, server) = (None, Running::default());
        Ok(Self { port, url, programs, settings, clock, server, folder })
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// `postgres://USER@HOST:PORT/DATABASE`, for a user who may do everything.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// One of the programs that came with the server, such as `psql`.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// One for all tests of this process that leave the server as it is, each in a
    /// [database](Self::new_database) of its own. It is installed where it is missing.
    ///
    /// # Panics
    ///
    /// There is none.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Postgres> = LazyLock::new(|| {
            Package::POSTGRES.ensure_installed().expect("the server is installed");
            Postgres::start().expect("a server")
        });
        &SHARED
    }

    /// Makes an empty database of a name that nobody has said, and answers its URL.
    ///
    /// # Errors
    ///
    /// The server does not answer.
    pub fn new_database(&self) -> Result<String> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        self.create_database(&format!("nameless_{}", MADE.fetch_add(1, Ordering::Relaxed)))
    }

    /// Makes an empty database, and answers its URL.
    ///
    /// # Errors
    ///
    /// There is one of that name, or the server does not answer.
    pub fn create_database(&self, name: &str) -> Result<String> {
        self.run(&format!("create database {name}"))?;
        Ok(format!("postgres://hallpass@{}/{name}", self.address()))
    }

    /// Runs statements. Answers their rows, one a line, values apart by `|`.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub fn run(&self, sql: &str) -> Result<String> {
        self.run_at(&self.url, sql)
    }

    /// The same in the database of another URL.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_at(&self, url: &str, sql: &str) -> Result<String> {
        let mut psql = Command::new(self.program("psql"));
        psql.args([url, "--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]);
        psql.args(["--set=ON_ERROR_STOP=1", "--command", sql]).env("PGCONNECT_TIMEOUT", "10");
        let output = psql.output().context("`psql` cannot be run")?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }

    /// What the server has written so far of what it did.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn log(&self) -> Result<String> {
        fs::read_to_string(self.folder.path().join("log")).context("the log cannot be read")
    }

    /// Ends the server as a loss of power would, all of its processes at once.
    ///
    /// # Errors
    ///
    /// It is down already.
    pub fn kill(&self) -> Result<()> {
        self.server.kill()
    }

    /// Ends the server in good order. Its clients are told.
    ///
    /// # Errors
    ///
    /// It is down already.
    pub fn stop(&self) -> Result<()> {
        self.server.end(Signal::INT)
    }

    /// Starts a server that is down with the data that it had, on the port that it had.
    ///
    /// # Errors
    ///
    /// It runs, or does not start.
    pub fn start_again(&self) -> Result<()> {
        let account = Account::unprivileged()?;
        let program = self.program("postgres");
        let mut server = clock::command(account.as_ref(), self.clock.as_ref(), program);
        server.arg("-D").arg(self.data()).arg("-p").arg(self.port.to_string());
        let ours = [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "max_connections=200",
        ];
        for setting in ours.into_iter().chain(self.settings.iter().map(String::as_str)) {
            server.args(["-c", setting]);
        }
        // At once, without a checkpoint: nobody reads the data again.
        self.server.start(&self.folder, "QUIT", &server, || self.answers())
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

    fn answers(&self) -> bool {
        let status = Command::new(self.program("pg_isready"))
            .args(["--quiet", "--host=127.0.0.1", "--port"])
            .arg(self.port.to_string())
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    }
}
