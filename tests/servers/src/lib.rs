//! Real servers for the tests and benchmarks, each on a private port and in a folder of its own.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! let postgres = hallpass_servers::Postgres::start()?;
//! println!("{}", postgres.url());
//! # Ok(()) }
//! ```
//!
//! A server is stopped and its folder removed when its value is dropped, and also when the process that
//! started it dies, however it dies: a shell that reads from that process sees the end of its input.
//!
//! By hand: `cargo run -p hallpass-servers -- redis` starts one, prints its URL, and stops it at Ctrl-C.

mod account;
mod package;
mod port;
mod postgres;
mod redis;
mod watched;

pub use self::{package::Package, postgres::Postgres, redis::Redis};
