//! Runs the quickstart in its own process and sends requests to it.

mod answer;
mod client;
mod program;
mod server;
mod test_dir;
mod user;

use std::time::Duration;

pub(crate) use self::answer::Answer;
pub(crate) use self::client::{Call, Client, Protocol};
pub(crate) use self::program::Program;
pub(crate) use self::server::Server;
pub(crate) use self::test_dir::{Ended, TestDir};
pub(crate) use self::user::{Issued, User};

/// The time limit of every wait. A test that exceeds it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
