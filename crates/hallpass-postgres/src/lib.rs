//! A token store on PostgreSQL for [Hallpass](https://docs.rs/hallpass): any number of nodes share
//! one database.
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use hallpass_core::{Actor, Hallpass, NewToken};
//! use hallpass_postgres::PostgresStore;
//!
//! // Creates the schema `hallpass` in that database if it does not exist.
//! let store = PostgresStore::connect("postgres://app:password@db.example/app").await?;
//! let hallpass = Hallpass::builder(store).build();
//! let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await?;
//! # drop(issued);
//! # Ok(()) }
//! ```
//!
//! The store takes a URL, or a pool that the host already has ([`PostgresStore::from_pool`]).
//! [`PostgresSettings`] has more choices. It needs PostgreSQL 13 or later, and a database with the
//! encoding UTF-8. For TLS, turn on one of the driver's TLS features in your own `Cargo.toml`, for
//! example `sqlx = { version = "0.9", features = ["tls-rustls-ring"] }`. This crate picks none.
//!
//! # Guarantees
//!
//! - **Sequence order is commit order.** Each change takes the next number of the change log as its
//!   last step. So a cache that follows the log misses no change, and a long transaction of another
//!   client does not delay it.
//! - **A lookup is one round trip.** It reads one row by its key, and the position of the log in
//!   the same snapshot. It does not wait for changes.
//! - **A change is one statement.** It is one round trip and one transaction, which also writes the
//!   audit entry.
//! - **A change that was acknowledged is on the disk**, and on the synchronous standbys if there
//!   are any, even if the role's `synchronous_commit` is off.
//! - **The token limit of an owner is exact** across all nodes.
//! - **Revoking and deleting never wait for edits.** They have separate capacity, and each node
//!   makes at most two edits per owner at a time.
//! - **A call ends within two seconds**, and a lookup within one. If a connection is dead, all
//!   connections are in use, or another client keeps a lock, the call returns an [unavailable]
//!   error.
//! - **The outcome of a change is looked up.** If a connection is lost during a change, the store
//!   uses another one to find out whether the change was committed, and otherwise prevents it from
//!   being committed later. The outcome is [unknown] only if this does not succeed in time.
//! - **On a read-only server** (`default_transaction_read_only`, or a full disk), tokens can still
//!   be checked. Changes return a [read-only] error.
//! - **Unreadable data is never accepted.** An invalid row is a [corrupt] error. Opening the store
//!   fails if its schema is too new or of another application, and with
//!   [`migrate(false)`](PostgresSettings::migrate) also if it is missing or outdated.
//!
//! [unavailable]: hallpass_core::store::StoreError::is_unavailable
//! [unknown]: hallpass_core::store::StoreError::is_outcome_unknown
//! [read-only]: hallpass_core::store::StoreError::is_read_only
//! [corrupt]: hallpass_core::store::StoreError::is_corrupt
//!
//! # Connections
//!
//! Lookups, lists and changes share eight connections, or the host's pool. A cache in front needs
//! two more: one reads the change log, and the other listens for notifications, so that the log is
//! read at once. Connections are opened when they are first needed.
//!
//! Connections of the store's own have a `statement_timeout` of two seconds. Set one for a pool of
//! the host's too, because otherwise a statement continues after its call has given up.
//!
//! Notifications on the channel `hallpass` contain only a number. They only reduce latency: the
//! next read of the log finds changes that they miss. They are sent after the commit, so a full
//! queue of notifications does not undo a change.
//!
//! # Poolers
//!
//! A pooler that gives each transaction another connection, such as `PgBouncer` in transaction
//! mode, needs [`PostgresSettings::disable_listen`]. Then each call is an explicit transaction,
//! which takes four round trips to the pooler, and no state is kept in a session. Session mode
//! needs no setting.
//!
//! # Failover
//!
//! Dead connections are replaced, and a call that finds a dead connection is repeated if that is
//! safe. Tokens are checked on a primary only, because a standby may lag behind by any amount of
//! time. If a connection leads to a standby, the store is unavailable. After a failover to an
//! asynchronous standby that lost the last changes, caches detect the different history by the
//! nonces of the log, and discard everything. The lost changes stay lost. Use a synchronous standby
//! if a revocation must survive the loss of the primary.
//!
//! # The schema
//!
//! Everything is in the PostgreSQL schema `hallpass`, or in one that [`PostgresSettings::schema`]
//! names: the tables `tokens`, `clock`, `changes` and `migrations`, and five functions. The
//! migrations are the files in this crate's `migrations` directory. [`PostgresStore::migrate_with`]
//! applies them, and so does opening a store. Any number of nodes can do so at the same time. A
//! role that may not create anything needs the rights in the crate's `roles.sql`, and
//! [`migrate(false)`](PostgresSettings::migrate).
//!
//! The tables contain names, descriptions, scopes, metadata, times, owner ids, and digests of the
//! tokens' secrets, from which no token can be computed. They also contain the change log, which is
//! the audit trail. [`prune`] deletes its old entries. No secret is ever sent to the server, so its
//! log contains none. Digests without a pepper can be used to verify a guessed token, but guessing
//! 256 random bits is infeasible.
//!
//! Read these tables as you like, but do not change them. If you revoke a token by hand, without an
//! entry in `changes`, caches continue to accept it.
//!
//! # Your own database
//!
//! [`PostgresStore::from_pool`] uses the pool of the host. [`PostgresStore::issue_in`] and
//! [`PostgresStore::delete_owner_in`] take part in a transaction of the host.
//!
//! A table of yours can refer to `hallpass.tokens (id)` with a foreign key, and a query of yours
//! can join it. Declare the key `ON DELETE CASCADE` or `ON DELETE SET NULL`. Otherwise deleting and
//! pruning such a token returns a [referenced](hallpass_core::store::StoreError::is_referenced)
//! error.
//!
//! [`prune`]: hallpass_core::Hallpass::prune

mod change;
mod connect_error;
mod connections;
mod dialect;
mod error_class;
mod host_transaction;
mod listener;
mod permits;
mod schema;
mod schema_name;
mod settings;
mod sql;
mod store;
mod tokens;

/// The driver, in the version that this crate uses.
pub use sqlx;

pub use self::{
    connect_error::{ConnectError, DatabaseAddress},
    settings::PostgresSettings,
    store::PostgresStore,
};
