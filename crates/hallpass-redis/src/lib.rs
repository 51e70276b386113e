//! A token store on Redis for [Hallpass](https://docs.rs/hallpass), which many nodes can share. It
//! runs on a single server, on a server with replicas, or on a cluster.
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
//! # Permissions
//!
//! The store's user needs these permissions and no others, for the namespace `hallpass`:
//!
#![doc = concat!("```text\nACL SETUSER hallpass on >PASSWORD\n", include_str!("docs/rights.txt"), "```")]
//!
//! Three of them have a special purpose. Without `config|get`, the store cannot check whether the
//! server evicts keys and persists changes, and logs a warning. Without `xread`, it detects changes
//! later. `cluster|...` is needed only for Redis Cluster. With `wait`, the store makes sure that it
//! is not connected to a replica. If one of the other permissions is missing, a script may fail
//! half-way, so grant all of them.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod change;
#[cfg(feature = "cluster")]
mod cluster;
mod connect_error;
mod connection;
mod encoding;
mod error_class;
mod list;
mod listener;
mod reply;
mod scripts;
mod settings;
mod startup;
mod store;
mod target;
mod token_store;

/// The driver, in the version that this crate uses.
pub use redis;

pub use self::{
    connect_error::{ConnectError, ServerAddress},
    settings::RedisSettings,
    store::RedisStore,
};
