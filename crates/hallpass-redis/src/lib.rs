//! A token store on Redis for [Hallpass](https://docs.rs/hallpass): many nodes on one server, its replicas, or a
//! cluster.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use hallpass_core::{Actor, Hallpass, NewToken};
//! use hallpass_redis::RedisStore;
//!
//! let store = RedisStore::connect("redis://127.0.0.1:6379").await?;
//! let hallpass = Hallpass::builder(store).build();
//! let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await?;
//! # Ok(()) }
//! ```
//!
#![doc = include_str!("docs/promises.md")]
//!
//! The user that the store signs in as needs this and no more, for the namespace `hallpass`:
//!
#![doc = concat!("```text\nACL SETUSER hallpass on >PASSWORD\n", include_str!("docs/rights.txt"), "```")]
//!
//! Without `config|get` the store cannot see whether the server evicts and persists, and warns of that; without `xread` it is
//! slower to hear of changes; `cluster|...` is for a cluster. By `wait` the store sees that it has not come to a replica.
//! A script that lacks one of the others stops half-way, so give all of them.

mod answer;
mod bytes;
mod change;
mod check;
#[cfg(feature = "cluster")]
mod cluster;
mod guards;
mod line;
mod list;
mod nudge;
mod open;
mod packed;
mod page;
mod scan;
mod scripts;
mod settings;
mod sought;
mod store;
mod target;
#[cfg(test)]
mod tests;
mod time;
mod tokens;
mod trouble;

pub use self::{open::ConnectError, settings::RedisSettings, store::RedisStore};
