//! Real servers for the tests and benchmarks, each on a private port and in a folder of its own.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! let postgres = hallpass_servers::Postgres::start()?;
//! println!("{}", postgres.url());
//! # Ok(()) }
//! ```
//!
//! A server is stopped and its folder removed when its value is dropped, and also when the process
//! that started it dies, however it dies: a shell that reads from that process sees the end of its
//! input.
//!
//! By hand: `cargo run -p hallpass-servers -- redis` starts one, prints its URL, and stops it at
//! Ctrl-C; `install` installs all that the tests need.
//!
//! Between a client and a server goes a [`Proxy`], which does to connections what networks do.

mod account;
mod clock;
mod family;
mod folder;
mod nginx;
mod package;
mod pgbouncer;
mod port;
mod postgres;
mod proxy;
mod redis;
mod running;
mod watched;

pub use self::{
    nginx::Nginx,
    package::Package,
    pgbouncer::PgBouncer,
    postgres::Postgres,
    proxy::{Connection, Flow, Proxy, Way},
    redis::{Redis, RedisCluster},
};
