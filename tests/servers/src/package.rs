use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};

use crate::{postgres, redis};

/// A server's package in Debian and what is made of it.
#[derive(Clone, Copy, Debug)]
pub struct Package {
    name: &'static str,
    is_there: fn() -> bool,
}

impl Package {
    /// PostgreSQL.
    pub const POSTGRES: Self =
        Self { name: "postgresql", is_there: || postgres::newest_programs().is_ok() };
    /// Redis.
    pub const REDIS: Self = Self { name: "redis-server", is_there: || redis::program().is_ok() };

    /// Installs the package with `apt-get`, unless the server is there. That takes a minute, the network and
    /// the right to install.
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
            "the package `{}` is installed, but its server is not found",
            self.name
        );
        Ok(())
    }
}
