//! A cache in front of any [Hallpass](https://docs.rs/hallpass) token store.
//!
//! # The promise
//!
//! When a change such as a revocation has returned on one node, that node never accepts the old
//! state again. Every other node stops accepting it within [`CacheSettings::max_staleness`], which
//! is 2 s by default, whatever fails between the nodes. A node that cannot prove that its records
//! are fresh queries the store.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), hallpass_core::Error> {
//! use hallpass_cache::Cached;
//! use hallpass_core::{Actor, Hallpass, NewToken};
//! use hallpass_memory::MemoryStore;
//!
//! // Two nodes of a service share one store, and each has its own cache.
//! let store = MemoryStore::new();
//! let [one, other] = [store.clone(), store].map(|store| Hallpass::builder(Cached::new(store)).build());
//! let alice = Actor::owner("alice");
//! let issued = one.issue(&alice, NewToken::named("ci")).await?;
//! let token = issued.token.reveal().as_bytes();
//! assert!(other.authenticate(token).await.is_ok());
//!
//! one.revoke(&alice, issued.record.id).await?;
//! assert!(one.authenticate(token).await.is_err(), "at once on this node");
//! tokio::time::sleep(std::time::Duration::from_secs(2)).await;
//! assert!(other.authenticate(token).await.is_err(), "within max_staleness on every other node");
//! # Ok(()) }
//! ```
//!
//! # How it works
//!
//! 1. **A numbered change log.** The store numbers all changes in commit order, without gaps.
//! 2. **Versioned records.** Each record is cached with the number that the log had when it was
//!    read. When this node reads about a change to a token, it only notes the number of the change.
//!    A record with a smaller number is read again at its next use. Correctness does not depend on
//!    removing records from the cache in time, so a slow load cannot bring a revoked token back.
//! 3. **A lease.** A task reads the log every [`CacheSettings::poll`], or at once if the store
//!    reports a change. Each read proves that there were no other changes up to the instant at
//!    which the log was queried. That instant is the lease. While it is recent enough, cached
//!    records are used without querying the store.
//!
//! If a record is changed by hand in the database, the change is not in the log.
//! [`CacheSettings::max_age`] limits how long the old record is used.
//!
//! # The modules
//!
//! | module | content |
//! |---|---|
//! | `invalidation` | the changes that were applied, and the records that they void |
//! | `freshness` | the rule that decides whether a record may be used, and why the order of steps matters |
//! | `change_feed` | the task that follows the log |
//! | `single_flight` | loads: one for each token, in a fair queue |
//! | `positive`, `negative` | the tables of tokens, and of ids of tokens that do not exist |
//! | `owner_statuses` | the answers of the host's owner directory |
//!
//! `tests/guards/cache.toml` in the repository lists the safety steps. `cargo xtask guards` removes
//! each of them in turn, and requires that a test fails.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod cached;
mod change_feed;
mod dual_instant;
mod entry;
mod freshness;
mod inner;
mod invalidation;
mod metrics;
mod negative;
mod owner_statuses;
mod positive;
mod settings;
mod single_flight;
mod sizes;
mod store_clock;
mod sync;

pub use self::{
    cached::Cached,
    settings::{CacheSettings, CacheSettingsError},
};
