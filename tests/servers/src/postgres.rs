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

/// Returns a data folder without user data. It is created once per process, because copying it is
/// much faster than `initdb`.
fn template() -> Result<PathBuf> {
    static TEMPLATE: Mutex<Option<Folder>> = Mutex::new(None);
    let mut template = TEMPLATE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = match &*template {
        Some(folder) => folder,
        None => {
            let folder = own_folder()?;
            make(&folder, &newest_programs()?.join("initdb"), |initdb| {
                initdb.arg("--pgdata").arg(folder.path().join("data"));
                initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8"]);
                initdb.args(["--locale=C.UTF-8", "--no-sync", "--no-instructions"])
            })?;
            template.insert(folder)
        }
    };
    Ok(folder.path().join("data"))
}

/// Creates a folder that belongs to the account that the server runs as.
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

/// Runs a program that creates the data of a server. `arguments` adds its arguments.
fn make(
    folder: &Folder,
    program: &Path,
    arguments: impl FnOnce(&mut Command) -> &mut Command,
) -> Result<()> {
    let account = Account::unprivileged()?;
    let mut command = account::command(account.as_ref(), program);
    let output = arguments(&mut command).current_dir(folder.path()).output();
    let output = output.with_context(|| format!("cannot run `{}`", program.display()))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{}` failed: {errors}", program.display());
    Ok(())
}

/// A private PostgreSQL server with an empty database.
///
/// It listens only on the loopback address and requires no password. Committed data survives a
/// crash of the server, but not of the machine, because `fsync` is off. The folder is temporary
/// anyway.
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
    /// Declared after the server, so that it is dropped after it.
    folder: Folder,
}

impl Postgres {
    /// Starts a server of the newest installed version. If this process runs as root, the server
    /// runs as an unprivileged user.
    ///
    /// # Errors
    ///
    /// Returns an error if PostgreSQL is not installed or does not start.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// Starts a server with further settings, such as `max_connections=20`.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`start`](Self::start).
    pub fn start_with(settings: &[&str]) -> Result<Self> {
        Self::prepare(owned(settings))?.start_empty()
    }

    /// Starts a server with its own clock, which [`set_clock`](Self::set_clock) moves.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`start`](Self::start), and an error if `cc` cannot be run.
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

    /// Sets the server's clock to the time of the machine plus a number of seconds, which may be
    /// negative.
    ///
    /// # Errors
    ///
    /// Returns an error if the server was started without its own clock.
    pub fn set_clock(&self, seconds: i64) -> Result<()> {
        self.clock.as_ref().context("the server has no clock of its own")?.set(seconds)
    }

    /// Creates a server without data and does not start it.
    fn prepare(settings: Vec<String>) -> Result<Self> {
        let programs = newest_programs()?;
        let folder = own_folder()?;
        let port = port::free()?;
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let (clock, server) = (None, Running::default());
        Ok(Self { port, url, programs, settings, clock, server, folder })
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Returns the URL `postgres://USER@HOST:PORT/DATABASE` of a superuser.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the address that the server listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Returns the path of a program that is installed with the server, such as `psql`.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// Returns the server that all tests of this process share. It is for tests that do not stop or
    /// reconfigure the server. Each of them uses its own [database](Self::new_database).
    ///
    /// The first call installs PostgreSQL if it is missing.
    ///
    /// # Panics
    ///
    /// Panics if PostgreSQL cannot be installed or started.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Postgres> = LazyLock::new(|| {
            Package::POSTGRES.ensure_installed().expect("cannot install PostgreSQL");
            Postgres::start().expect("cannot start PostgreSQL")
        });
        &SHARED
    }

    /// Creates an empty database with a generated name and returns its URL.
    ///
    /// # Errors
    ///
    /// Returns an error if the server does not respond.
    pub fn new_database(&self) -> Result<String> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        self.create_database(&format!("unnamed_{}", MADE.fetch_add(1, Ordering::Relaxed)))
    }

    /// Creates an empty database and returns its URL.
    ///
    /// # Errors
    ///
    /// Returns an error if the database exists or the server does not respond.
    pub fn create_database(&self, name: &str) -> Result<String> {
        self.run(&format!("create database {name}"))?;
        Ok(format!("postgres://postgres@{}/{name}", self.address()))
    }

    /// Runs SQL statements and returns their rows, one per line, with the values separated by `|`.
    ///
    /// # Errors
    ///
    /// Returns the error message of the server.
    pub fn run(&self, sql: &str) -> Result<String> {
        self.run_at(&self.url, sql)
    }

    /// Runs SQL statements as [`run`](Self::run) does, in the database of the given URL.
    ///
    /// # Errors
    ///
    /// Returns the error message of the server.
    pub fn run_at(&self, url: &str, sql: &str) -> Result<String> {
        let mut psql = Command::new(self.program("psql"));
        psql.args([url, "--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]);
        psql.args(["--set=ON_ERROR_STOP=1", "--command", sql]).env("PGCONNECT_TIMEOUT", "10");
        let output = psql.output().context("cannot run `psql`")?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }

    /// Returns the log of the server.
    ///
    /// # Errors
    ///
    /// Returns an error if the log file cannot be read.
    pub fn log(&self) -> Result<String> {
        fs::read_to_string(self.folder.path().join("log"))
            .context("cannot read the log of the server")
    }

    /// Kills all processes of the server at once, to simulate a loss of power.
    ///
    /// # Errors
    ///
    /// Returns an error if the server is not running.
    pub fn kill(&self) -> Result<()> {
        self.server.kill()
    }

    /// Shuts the server down in order. It notifies its clients and closes their connections.
    ///
    /// # Errors
    ///
    /// Returns an error if the server is not running.
    pub fn stop(&self) -> Result<()> {
        self.server.end(Signal::INT)
    }

    /// Starts a stopped server again, with its data and on the same port.
    ///
    /// # Errors
    ///
    /// Returns an error if the server is running or does not start.
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
            // In the folder, which is removed even if the server is killed.
            "dynamic_shared_memory_type=mmap",
        ];
        for setting in ours.into_iter().chain(self.settings.iter().map(String::as_str)) {
            server.args(["-c", setting]);
        }
        // SIGQUIT stops the server immediately, without a checkpoint. Its data is then discarded.
        self.server.start(&self.folder, "QUIT", &server, || self.is_ready())
    }

    /// Suspends the server. Clients can still connect, but get no response.
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

    fn is_ready(&self) -> bool {
        let status = Command::new(self.program("pg_isready"))
            .args(["--quiet", "--host=127.0.0.1", "--port"])
            .arg(self.port.to_string())
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    }
}
