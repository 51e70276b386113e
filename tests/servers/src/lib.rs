//! Starts real servers for the tests and benchmarks. Each server has its own port and folder.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! let postgres = hallpass_servers::Postgres::start()?;
//! println!("{}", postgres.url());
//! # Ok(()) }
//! ```
//!
//! Dropping the value of a server stops the server and removes its folder. The same happens if the
//! process that started the server dies, even by `SIGKILL`: a shell process reads from a pipe that
//! the process holds, and stops the server at the end of the input.
//!
//! To start a server by hand, run `cargo run -p hallpass-servers -- redis`. The command prints the
//! URL of the server and stops it on Ctrl-C. `cargo run -p hallpass-servers -- install` installs
//! every package that the tests need.
//!
//! A [`Proxy`] between a client and a server simulates network faults.

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
