//! Tokens as a store gets them, for tests that speak to stores.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use hallpass_core::store::TokenStore;
//! use hallpass_testkit::conformance::samples::{at, edited, token};
//! # let store = hallpass_memory::MemoryStore::new();
//!
//! let token = token("alice", "ci");
//! store.insert(&token, None).await.unwrap();
//! let revoked = edited(&token.record, |record| record.revoked_at = Some(at(5)));
//! store.change(&revoked).await.unwrap();
//! assert!(store.change(&revoked).await.unwrap_err().is_conflict());
//! # }
//! ```

#![expect(clippy::missing_panics_doc, reason = "what is given by a test is what it says")]

use hallpass_core::store::{Change, ChangeKind, Secrets, StoredToken};
use hallpass_core::{Digest, Owner, TokenId, TokenRecord};
use jiff::Timestamp;

/// The owner of that name.
#[must_use]
pub fn owner(name: &str) -> Owner {
    Owner::new(name).expect("an owner")
}

/// The instant so many milliseconds after a fixed day.
#[must_use]
pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + millis).expect("an instant")
}

/// A digest that holds this byte only.
#[must_use]
pub fn digest(byte: u8) -> Digest {
    Digest::from_parts("sha256", &[byte; 32]).expect("a digest")
}

/// A secret like that, none before it.
#[must_use]
pub fn secrets(byte: u8) -> Secrets {
    Secrets { current: digest(byte), previous: None }
}

/// A new token of that owner, without scopes or expiry.
#[must_use]
pub fn token(of: &str, name: &str) -> StoredToken {
    let owner = owner(of);
    let id = TokenId::generate(&owner, at(0)).expect("randomness");
    StoredToken { record: TokenRecord::new(id, owner, name, at(0)), secrets: secrets(1) }
}

/// A change to the record: edited, its revision one up, its secrets untouched.
#[must_use]
pub fn edited(record: &TokenRecord, edit: impl FnOnce(&mut TokenRecord)) -> Change {
    let mut record = record.clone();
    edit(&mut record);
    record.revision = record.revision.next();
    Change { record, secrets: None, kind: ChangeKind::Updated }
}
