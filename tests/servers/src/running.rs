use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use crate::folder::Folder;
use crate::watched::Watched;

/// A server that can be started and stopped several times.
#[derive(Debug, Default)]
pub(crate) struct Running(Mutex<Option<Watched>>);

impl Running {
    pub(crate) fn start(
        &self,
        folder: &Folder,
        signal: &str,
        command: &Command,
        is_ready: impl Fn() -> bool,
    ) -> Result<()> {
        let mut server = self.lock();
        ensure!(server.is_none(), "the server is already running");
        *server = Some(Watched::start(folder, signal, command, is_ready)?);
        Ok(())
    }

    pub(crate) fn kill(&self) -> Result<()> {
        self.take()?.kill()
    }

    pub(crate) fn end(&self, signal: Signal) -> Result<()> {
        self.take()?.end(signal)
    }

    pub(crate) fn pause(&self) -> Result<()> {
        self.lock().as_ref().context("the server is down")?.pause()
    }

    pub(crate) fn resume(&self) -> Result<()> {
        self.lock().as_ref().context("the server is down")?.resume()
    }

    fn take(&self) -> Result<Watched> {
        self.lock().take().context("the server is down")
    }

    fn lock(&self) -> MutexGuard<'_, Option<Watched>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
