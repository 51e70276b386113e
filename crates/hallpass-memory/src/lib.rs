//! A token store in memory for [Hallpass](https://docs.rs/hallpass).
//!
//! Use it for tests, and for services that may lose all tokens when the process ends.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), hallpass_core::Error> {
//! use hallpass_core::{Actor, Hallpass, NewToken};
//! use hallpass_memory::MemoryStore;
//!
//! let hallpass = Hallpass::builder(MemoryStore::new()).build();
//! let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await?;
//! assert!(hallpass.authenticate(issued.token.reveal().as_bytes()).await.is_ok());
//! # Ok(()) }
//! ```
//!
//! It fulfils the whole contract of [`TokenStore`](hallpass_core::store::TokenStore). One mutex
//! protects the whole state, so each call is atomic, and the order of the change log is the order
//! of the changes.

mod log;
mod state;
mod store;

pub use store::MemoryStore;
