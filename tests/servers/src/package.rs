use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};

use crate::{nginx, pgbouncer, postgres, redis};

/// A Debian package, with a check of whether its program is installed.
#[derive(Clone, Copy, Debug)]
pub struct Package {
    name: &'static str,
    is_there: fn() -> bool,
}

impl Package {
    /// PostgreSQL.
    pub const POSTGRES: Self =
        Self { name: "postgresql", is_there: || postgres::newest_programs().is_ok() };
    /// `PgBouncer`.
    pub const PGBOUNCER: Self =
        Self { name: "pgbouncer", is_there: || pgbouncer::program().is_ok() };
    /// nginx.
    pub const NGINX: Self = Self { name: "nginx-light", is_there: || nginx::program().is_ok() };
    /// Redis.
    pub const REDIS: Self = Self { name: "redis-server", is_there: || redis::program().is_ok() };

    /// OpenSSL's headers, for the command line with the system's TLS library.
    pub const LIBSSL: Self = Self {
        name: "libssl-dev",
        is_there: || PathBuf::from("/usr/include/openssl/ssl.h").is_file(),
    };
    /// `pkg-config`, which finds the headers.
    pub const PKG_CONFIG: Self =
        Self { name: "pkg-config", is_there: || on_path("pkg-config").is_some() };

    /// OpenSSL's command, for certificates.
    pub const OPENSSL: Self = Self { name: "openssl", is_there: || on_path("openssl").is_some() };

    /// Chromium's headless build, a browser. The tests take half as long as with the full Chromium.
    pub const CHROMIUM: Self = Self {
        name: "chromium-headless-shell",
        is_there: || on_path("chromium-headless-shell").is_some(),
    };

    /// Firefox.
    pub const FIREFOX: Self = Self {
        name: "firefox-esr",
        is_there: || ["firefox-esr", "firefox"].into_iter().any(|name| on_path(name).is_some()),
    };

    /// Valgrind, which counts instructions.
    pub const VALGRIND: Self =
        Self { name: "valgrind", is_there: || on_path("valgrind").is_some() };

    /// All packages that the tests need.
    pub const ALL: [Self; 10] = [
        Self::POSTGRES,
        Self::PGBOUNCER,
        Self::NGINX,
        Self::OPENSSL,
        Self::REDIS,
        Self::LIBSSL,
        Self::PKG_CONFIG,
        Self::CHROMIUM,
        Self::FIREFOX,
        Self::VALGRIND,
    ];

    /// Installs the package with `apt-get`, unless its program is already installed. The
    /// installation takes about a minute and needs network access and root privileges.
    ///
    /// # Errors
    ///
    /// Returns an error if the package cannot be installed. Its text names the package to install
    /// by hand.
    pub fn ensure_installed(self) -> Result<()> {
        // One caller installs at a time. The next one finds the program installed.
        static TURN: Mutex<()> = Mutex::new(());
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        if (self.is_there)() {
            return Ok(());
        }
        let by_hand = format!("install the package `{}` by hand", self.name);
        for arguments in
            [&["update"][..], &["install", "--yes", "--no-install-recommends", self.name]]
        {
            let status = Command::new("apt-get")
                .args(arguments)
                .env("DEBIAN_FRONTEND", "noninteractive")
                .stdout(std::io::stderr())
                .status()
                .with_context(|| format!("cannot run `apt-get`: {by_hand}"))?;
            ensure!(status.success(), "`apt-get {}` failed: {by_hand}", arguments.join(" "));
        }
        ensure!(
            (self.is_there)(),
            "the package `{}` is installed, but its program is not found",
            self.name
        );
        Ok(())
    }
}

/// Returns the path of a program, if it is in a folder of `PATH`.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}
