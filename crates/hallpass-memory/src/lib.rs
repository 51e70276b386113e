//! A token store in memory for [Hallpass](https://docs.rs/hallpass): for tests, and for services whose
//! tokens may end with the process.
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

mod log;
mod state;
mod store;

pub use store::MemoryStore;
