//! A token store on PostgreSQL for [Hallpass](https://docs.rs/hallpass): many nodes, one truth.
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use hallpass_core::{Actor, Hallpass, NewToken};
//! use hallpass_postgres::PostgresStore;
//!
//! // Creates the schema `hallpass` in that database, if it is not there.
//! let store = PostgresStore::connect("postgres://app:password@db.example/app").await?;
//! let hallpass = Hallpass::builder(store).build();
//! let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await?;
//! # drop(issued);
//! # Ok(()) }
//! ```
//!
//! It takes a URL, or the pool that the host has already ([`PostgresStore::open`]);
//! [`PostgresSettings`] has more to choose. PostgreSQL 13 or later, with a database encoded in
//! UTF-8. For connections with TLS, turn on one of the driver's TLS features in your own
//! `Cargo.toml` (`sqlx = { version = "0.9", features = ["tls-rustls-ring"] }`, say): this crate
//! picks none.
//!
//! # What is promised
//!
//! - **Number order is commit order.** Each change takes the next number of the change log as its
//!   last step, so a cache that follows the log misses nothing, and no long transaction of anybody
//!   else's is in its way.
//! - **A look-up is one round trip** and one row by its key, with the number of the log in the same
//!   snapshot. It waits for no change.
//! - **What returned is on the disk**, and on the synchronous standbys if there are any, whatever
//!   `synchronous_commit` the role has.
//! - **The limit of an owner's tokens is exact**, among all nodes.
//! - **A call ends within two seconds**, a look-up within one, as [unavailable] if need be: on a
//!   dead line, with all connections in use, behind somebody's lock.
//! - **A lost answer is looked for.** If the connection is lost while a change commits, the store
//!   asks on another one what became of the transaction. Only if nobody can say so in time is the
//!   outcome [unknown].
//! - **A server that takes no changes** (`default_transaction_read_only`, a full disk) still lets
//!   tokens be checked; changes are answered [read-only].
//! - **Nothing is guessed.** A row that makes no sense is [corrupt], never an allowed token. A
//!   database with a schema that is missing, older, newer or not Hallpass's is refused when the
//!   store is opened.
//!
//! [unavailable]: hallpass_core::store::StoreError::is_unavailable
//! [unknown]: hallpass_core::store::StoreError::is_outcome_unknown
//! [read-only]: hallpass_core::store::StoreError::is_read_only
//! [corrupt]: hallpass_core::store::StoreError::is_corrupt
//!
//! # Connections
//!
//! Eight for look-ups, lists and changes, or the host's pool. With a cache in front two more: one
//! that asks the change log for what is new, and one that listens for notifications, so that it
//! asks at once. They are opened when they are first needed.
//!
//! Notifications (on the channel `hallpass`) carry a number and nothing else, and no promise rests
//! on them: what they miss, the next look at the log finds. They are sent after the commit, so that
//! a full queue of notifications undoes no change.
//!
//! # Poolers
//!
//! A pooler that gives each transaction another connection, such as `PgBouncer` in transaction
//! mode, needs
//! [`PostgresSettings::disable_listen`]: then nothing is prepared, and nobody listens. Session mode needs nothing.
//!
//! # Failover
//!
//! Connections that died are replaced, and the first call that finds them dead tries again by
//! itself where nothing was changed yet. Tokens are checked on a primary only: a standby may be
//! behind by any time, so where a connection leads to one, the store is unavailable. After a
//! failover that lost the last changes (one to an asynchronous standby, that is), caches see by the
//! log's nonces that history is another, and void all they have. The lost changes are lost: use a
//! synchronous standby where a revocation must outlive the primary.
//!
//! # The schema
//!
//! All is in the PostgreSQL schema `hallpass`: `tokens`, `clock`, `changes` and `migrations`, plain
//! tables for plain SQL. The migrations are the files in this crate's `migrations`, and
//! [`PostgresStore::migrate`] applies them, as does a store that is opened (by any number of nodes
//! at once; one does it). A role that may not create anything needs the rights in the crate's
//! `roles.sql`, and [`migrate(false)`](PostgresSettings::migrate).
//!
//! What is stored: names, descriptions, scopes, times, owners' ids, and digests of the tokens'
//! secrets, from which no token can be made; and the changes of the last 24 hours, which [`prune`]
//! lets go. No secret is ever sent, so none is in the server's log, whatever it logs. Digests
//! without a pepper can still be used to test a guess, which is hopeless against 256 random bits.
//!
//! Read these tables as you like, but leave it to Hallpass to change them: a token that is revoked
//! by hand, without the clock and a line in `changes`, goes on working wherever it is in a cache.
//!
//! [`prune`]: hallpass_core::Hallpass::prune

mod connections;
mod guards;
mod list;
mod literal;
mod nudge;
mod open;
mod row;
mod schema;
mod settings;
mod sql;
mod store;
#[cfg(test)]
mod tests;
mod to_its_end;
mod tokens;
mod trouble;
mod write;

/// The driver, in the version that this crate uses.
pub use sqlx;

pub use self::{
    open::{ConnectError, Place},
    settings::PostgresSettings,
    store::PostgresStore,
};
