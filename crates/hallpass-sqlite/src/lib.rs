//! A token store on SQLite for [Hallpass](https://docs.rs/hallpass): one file, no server.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("tokens.db");
//! use hallpass_core::{Actor, Hallpass, NewToken};
//! use hallpass_sqlite::SqliteStore;
//!
//! let store = SqliteStore::open(&path).await?; // such as "tokens.db"; a missing file is created
//! let hallpass = Hallpass::builder(store.clone()).build();
//! let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await?;
//! store.close().await;
//!
//! // Later, in another process, the token is still there.
//! let hallpass = Hallpass::builder(SqliteStore::open(&path).await?).build();
//! assert!(hallpass.authenticate(issued.token.reveal().as_bytes()).await.is_ok());
//! # Ok(()) }
//! ```
//!
//! # Guarantees
//!
//! - **A change that was acknowledged is on the disk.** Each change is one transaction, which is
//!   synced before the call returns. A revoked token is still revoked after a loss of power.
//! - **Several processes can use one file.** They see each other's changes at once, and the token
//!   limit of an owner is exact across all of them.
//! - **Checks never wait for changes.** The file is in WAL mode, so readers see the last committed
//!   state during a write. Lists have their own connections.
//! - **A call ends within two seconds**, with an [unavailable] error if another process keeps the
//!   file locked or the disk does not respond. A dropped call leaves no transaction open.
//! - **If the disk is full or read-only**, tokens can still be checked. Changes return a
//!   [read-only](hallpass_core::store::StoreError::is_read_only) error.
//! - **Unreadable data is never accepted.** A row with an invalid value is a [corrupt] error.
//!   Opening a file of another application fails and leaves the file unchanged. If the file is
//!   deleted or replaced while it is open, every call is [unavailable] until the file is back or
//!   the process is restarted.
//!
//! [unavailable]: hallpass_core::store::StoreError::is_unavailable
//! [corrupt]: hallpass_core::store::StoreError::is_corrupt
//!
//! # What is stored
//!
//! The store is one file. While it is open, there are files with the suffixes `-wal` and `-shm` in
//! the same directory. Only the user who created the file can read and write it.
//!
//! The file contains names, descriptions, scopes, metadata, times, owner ids, and digests of the
//! tokens. No token can be computed from a digest. It also contains the change log, which is the
//! audit trail: who changed what, and from where. Without a pepper, a digest can be used to verify
//! a guessed token, but guessing 256 random bits is infeasible.
//!
//! Back it up with SQLite's own tools (`.backup`, `VACUUM INTO`), or copy the file while no process
//! has it open.
//!
//! # Your own database
//!
//! [`SqliteStore::open_shared`], [`SqliteStore::from_pool`] and [`SqliteStore::connect`] use the
//! database of the host. All tables of the store begin with `hallpass_`. [`SqliteStore::issue_in`]
//! and [`SqliteStore::delete_owner_in`] take part in a transaction of the host.
//!
//! A table of yours in the same file can refer to `hallpass_tokens (id)` with a foreign key.
//! Declare it `ON DELETE CASCADE` or `ON DELETE SET NULL`. Otherwise deleting and pruning such a
//! token returns a [referenced](hallpass_core::store::StoreError::is_referenced) error.
//!
//! # When to use something else
//!
//! Do not put the file on a network file system: SQLite's locks and shared memory do not work
//! there, and the file would be damaged. Several machines need a database server.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod connections;
mod error_class;
mod file;
mod host_transaction;
mod open;
#[cfg(test)]
mod plans;
mod schema;
mod sql;
mod store;
mod tokens;
mod write;

/// The driver, in the version that this crate uses.
pub use sqlx;

pub use self::{open::ConnectError, store::SqliteStore};
