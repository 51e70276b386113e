//! The quickstart in a process of its own, and clients that speak to it.

mod answer;
mod client;
mod person;
mod place;
mod program;
mod server;

use std::time::Duration;

pub(crate) use self::answer::Answer;
pub(crate) use self::client::{Call, Client, Protocol};
pub(crate) use self::person::{Issued, Person};
pub(crate) use self::place::{Ended, Place};
pub(crate) use self::program::Program;
pub(crate) use self::server::Server;

/// How long to wait for what must happen, before the test fails for it. Nothing waits that long
/// when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
