use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Postgres, make};

/// How long a standby may take to catch up, and to become a primary.
const PATIENCE: Duration = Duration::from_secs(30);

impl Postgres {
    /// Starts a standby of this server, which has all that this one has and follows it,
    /// asynchronously.
    ///
    /// # Errors
    ///
    /// It does not start, or does not follow.
    pub fn standby(&self) -> Result<Self> {
        let standby = Self::prepare(self.settings.clone())?;
        make(&standby.folder, &self.program("pg_basebackup"), |backup| {
            backup.args(["--host=127.0.0.1", "--port"]).arg(self.port.to_string());
            backup.args(["--username=hallpass", "--pgdata"]).arg(standby.data());
            // What is logged meanwhile comes at the end: a stream of its own takes seconds to
            // close.
            backup.args(["--wal-method=fetch", "--checkpoint=fast", "--no-sync"]);
            backup.arg("--write-recovery-conf")
        })?;
        standby.start_again()?;
        self.wait_for(&standby)?;
        Ok(standby)
    }

    /// Waits until a standby has what this server has committed by now.
    ///
    /// # Errors
    ///
    /// It does not follow.
    pub fn wait_for(&self, standby: &Self) -> Result<()> {
        let here = self.run("select pg_current_wal_flush_lsn()")?;
        standby.wait_until_it_is_so(&format!("pg_last_wal_replay_lsn() >= '{here}'"))
    }

    /// Lets a standby hear nothing more of its primary: what that one commits from here on, this
    /// one has not.
    ///
    /// # Errors
    ///
    /// It is no standby.
    pub fn stop_following(&self) -> Result<()> {
        self.run("alter system set primary_conninfo = ''")?;
        self.run("select pg_reload_conf()")?;
        self.wait_until_it_is_so("not exists (select from pg_stat_wal_receiver)")
    }

    /// Makes a standby a primary, with what it has.
    ///
    /// # Errors
    ///
    /// It is none, or stays one.
    pub fn promote(&self) -> Result<()> {
        let promoted = self.run("select pg_promote()")?;
        ensure!(promoted == "t", "the standby was not promoted");
        self.wait_until_it_is_so("not pg_is_in_recovery()")
    }

    fn wait_until_it_is_so(&self, condition: &str) -> Result<()> {
        let started = Instant::now();
        while self.run(&format!("select {condition}"))? != "t" {
            ensure!(started.elapsed() < PATIENCE, "it never was so that {condition}");
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}
