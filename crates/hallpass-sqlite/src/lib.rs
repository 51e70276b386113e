//! A token store on SQLite for [Hallpass](https://docs.rs/hallpass): one file, no server.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("tokens.db");
//! use hallpass_core::{Actor, Hallpass, NewToken};
//! use hallpass_sqlite::SqliteStore;
//!
//! let store = SqliteStore::open(&path).await?; // "tokens.db", say; created if it is not there
//! let hallpass = Hallpass::builder(store.clone()).build();
//! let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await?;
//! store.close().await;
//!
//! // Another day, another process: everything is still there.
//! let hallpass = Hallpass::builder(SqliteStore::open(&path).await?).build();
//! assert!(hallpass.authenticate(issued.token.reveal().as_bytes()).await.is_ok());
//! # Ok(()) }
//! ```
//!
//! # What is promised
//!
//! - **What returned is on the disk.** Each change is one transaction, synced before it is answered: after a
//!   loss of power, a token that was revoked is still revoked.
//! - **Several processes may use one file.** They see each other's changes at once, and the limit of an
//!   owner's tokens is exact among all of them.
//! - **Checks never wait for changes.** The file is in WAL mode: readers see the last committed state
//!   while somebody writes, and lists have connections of their own.
//! - **A call ends within two seconds**, as [unavailable] if another process keeps the file locked or the
//!   disk hangs. A call that is dropped half-way leaves no transaction open.
//! - **A disk that is full or read-only** still lets tokens be checked; changes are answered
//!   [read-only](hallpass_core::store::StoreError::is_read_only).
//! - **Nothing is guessed.** A row that makes no sense is [corrupt], never an allowed token. A file that is
//!   not Hallpass's is refused when it is opened, and left as it is. When the file is deleted or
//!   replaced while it is open, every call is [unavailable] until the process is started anew or the file
//!   is back.
//!
//! [unavailable]: hallpass_core::store::StoreError::is_unavailable
//! [corrupt]: hallpass_core::store::StoreError::is_corrupt
//!
//! # What is stored
//!
//! One file, and beside it `-wal` and `-shm` while it is open; a new one is readable and writable by its
//! owner only. In it: names, descriptions, scopes, times, owners' ids, and digests of the tokens'
//! secrets, from which no token can be made; and the numbers of the changes of the last 24 hours, which
//! [`prune`] lets go. Digests without a pepper can still be used to test a guess, which is
//! hopeless against 256 random bits.
//!
//! Back it up with SQLite's own means (`.backup`, `VACUUM INTO`), or copy the file while no process has it
//! open.
//!
//! # What it is not for
//!
//! A network file system: SQLite's locks and shared memory do not work there, and the file would be
//! damaged. Several machines need a database server.
//!
//! [`prune`]: hallpass_core::Hallpass::prune

mod connections;
mod file;
mod list;
mod open;
#[cfg(test)]
mod plans;
mod row;
mod schema;
mod sql;
mod store;
mod tokens;
mod trouble;
mod write;

pub use self::{open::ConnectError, store::SqliteStore};
