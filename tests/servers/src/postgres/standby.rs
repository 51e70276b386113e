use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Postgres, make};

/// The time limit for a standby to catch up, and for its promotion.
const PATIENCE: Duration = Duration::from_secs(30);

impl Postgres {
    /// Starts a standby of this server, with a copy of its data and asynchronous replication.
    ///
    /// # Errors
    ///
    /// Returns an error if the standby does not start or does not replicate.
    pub fn standby(&self) -> Result<Self> {
        let standby = Self::prepare(self.settings.clone())?;
        make(&standby.folder, &self.program("pg_basebackup"), |backup| {
            backup.args(["--host=127.0.0.1", "--port"]).arg(self.port.to_string());
            backup.args(["--username=postgres", "--pgdata"]).arg(standby.data());
            // `fetch` copies the WAL at the end of the backup. A second connection that streams it
            // would take seconds to close.
            backup.args(["--wal-method=fetch", "--checkpoint=fast", "--no-sync"]);
            backup.arg("--write-recovery-conf")
        })?;
        standby.start_again()?;
        self.wait_for(&standby)?;
        Ok(standby)
    }

    /// Waits until a standby has replayed everything that this server has committed so far.
    ///
    /// # Errors
    ///
    /// Returns an error if the standby does not catch up within 30 seconds.
    pub fn wait_for(&self, standby: &Self) -> Result<()> {
        let here = self.run("select pg_current_wal_flush_lsn()")?;
        standby.wait_until(&format!("pg_last_wal_replay_lsn() >= '{here}'"))
    }

    /// Stops the replication to this standby. It does not receive later commits of its primary.
    ///
    /// # Errors
    ///
    /// Returns an error if the server does not respond or does not disconnect from its primary.
    pub fn stop_following(&self) -> Result<()> {
        self.run("alter system set primary_conninfo = ''")?;
        self.run("select pg_reload_conf()")?;
        self.wait_until("not exists (select from pg_stat_wal_receiver)")
    }

    /// Promotes this standby to a primary, with the data that it has received.
    ///
    /// # Errors
    ///
    /// Returns an error if this server is no standby or is not promoted in time.
    pub fn promote(&self) -> Result<()> {
        let promoted = self.run("select pg_promote()")?;
        ensure!(promoted == "t", "the standby was not promoted");
        self.wait_until("not pg_is_in_recovery()")
    }

    fn wait_until(&self, condition: &str) -> Result<()> {
        let started = Instant::now();
        while self.run(&format!("select {condition}"))? != "t" {
            ensure!(started.elapsed() < PATIENCE, "timed out waiting until {condition}");
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}
