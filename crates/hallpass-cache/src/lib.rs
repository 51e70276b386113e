//! The cache in front of any [Hallpass](https://docs.rs/hallpass) token store.
//!
//! # The promise
//!
//! When a change (a revocation, for example) has returned on one node, that node never accepts the
//! old state again. No other node accepts it for longer than [`CacheSettings::max_staleness`], 2 s
//! by default, whatever breaks between them. A node that cannot prove that its records are fresh
//! asks the store.
//!
//! # How it works
//!
//! 1. **A numbered change log.** The store numbers every change in the order of commits, without
//!    gaps.
//! 2. **Versioned records.** Each record is cached with the number that the log had when it was
//!    read. When this node hears of a change to a token, it only remembers the change's number. A
//!    record with a smaller number is read again at its next use. Nothing has to be removed from
//!    the cache in time, so a slow load can never bring a revoked token back.
//! 3. **A lease.** One task reads the log every [`CacheSettings::poll`], or at once when the store
//!    pushes. Each answer proves that nothing else has changed up to the instant at which the log
//!    was asked. While that instant is recent enough, cached records are used without asking the
//!    store.
//!
//! A record that somebody changes by hand in the database is in no log. [`CacheSettings::max_age`]
//! bounds how long it is used.
//!
//! # Where to read
//!
//! | module | |
//! |---|---|
//! | `invalidation` | which changes were applied, and what they void |
//! | `freshness` | when a record may be used, and why the order of steps matters |
//! | `change_feed` | the task that follows the log |
//! | `single_flight` | loads: one per token, in a fair queue |
//! | `positive`, `negative` | the tables of tokens, and of ids without one |
//! | `owner_statuses` | what the host's owner directory answered |
//!
//! `tests/guards/cache.toml` in the repository lists the safety steps one by one. `cargo xtask
//! guards` removes each of them and requires that a test fails.

mod cached;
mod change_feed;
mod dual_instant;
mod entry;
mod freshness;
mod inner;
mod invalidation;
mod keyed_lock;
mod log_limit;
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
