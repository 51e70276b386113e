use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};

use crate::{pgbouncer, postgres, redis};

/// A package in Debian and what is made of it.
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
    /// Redis.
    pub const REDIS: Self = Self { name: "redis-server", is_there: || redis::program().is_ok() };

    /// Chromium, a browser.
    pub const CHROMIUM: Self =
        Self { name: "chromium", is_there: || on_path("chromium").is_some() };

    /// Valgrind, which counts instructions.
    pub const VALGRIND: Self =
        Self { name: "valgrind", is_there: || on_path("valgrind").is_some() };

    /// All that the tests need.
    pub const ALL: [Self; 4] = [Self::POSTGRES, Self::PGBOUNCER, Self::REDIS, Self::CHROMIUM];

    /// Installs the package with `apt-get`, unless its program is there. That takes a minute, the
    /// network and the right to install.
    ///
    /// # Errors
    ///
    /// It cannot be installed: the sentence says what to do by hand.
    pub fn ensure_installed(self) -> Result<()> {
        // Of two at once, one installs, and the other finds it done.
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
                .with_context(|| format!("`apt-get` cannot be run here: {by_hand}"))?;
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

/// The program of this name, where the search path has one.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}
