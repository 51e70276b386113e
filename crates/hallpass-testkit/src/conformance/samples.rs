//! Tokens and events as the handle passes them to a store, for tests that call stores directly.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use hallpass_core::store::TokenStore;
//! use hallpass_testkit::conformance::samples::{at, edited, event, token};
//! # let store = hallpass_memory::MemoryStore::new();
//!
//! let token = token("alice", "ci");
//! store.insert(&token, None, &event()).await.unwrap();
//! let revoked = edited(&token.record, |record| record.revoked_at = Some(at(5)));
//! store.update(&revoked, &event()).await.unwrap();
//! assert!(store.update(&revoked, &event()).await.unwrap_err().is_conflict());
//! # }
//! ```

#![expect(clippy::missing_panics_doc, reason = "a panic means that the test itself is wrong")]

use hallpass_core::store::{Change, ChangeKind, ChangeTarget, Secrets, StoredToken};
use hallpass_core::{Digest, Event, EventKind, FieldChange, Origin, Owner, TokenId, TokenRecord};
use jiff::Timestamp;

/// Returns the owner with this id.
#[must_use]
pub fn owner(name: &str) -> Owner {
    Owner::new(name).expect("an owner")
}

/// Returns the time this number of milliseconds after a fixed day.
#[must_use]
pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + millis).expect("an instant")
}

/// Returns a digest that consists of this byte.
#[must_use]
pub fn digest(byte: u8) -> Digest {
    Digest::from_parts("sha256-v1", &[byte; 32]).expect("a digest")
}

/// Returns secrets with [`digest(byte)`](digest) as the current one, and no previous one.
#[must_use]
pub fn secrets(byte: u8) -> Secrets {
    Secrets { current: digest(byte), previous: None }
}

/// Returns a new token of an owner, without scopes or expiry.
#[must_use]
pub fn token(of: &str, name: &str) -> StoredToken {
    let owner = owner(of);
    let id = TokenId::generate(&owner, at(0)).expect("randomness");
    StoredToken { record: TokenRecord::new(id, owner, name, at(0)), secrets: secrets(1) }
}

/// Returns a change to the record with the given edit and the next revision. The secrets stay the
/// same.
#[must_use]
pub fn edited(record: &TokenRecord, edit: impl FnOnce(&mut TokenRecord)) -> Change {
    let mut record = record.clone();
    edit(&mut record);
    record.revision = record.revision.next();
    Change { record, secrets: None, kind: ChangeKind::Updated }
}

/// Returns an event that names the token or the owner that its change is about, as the handle's
/// events always do.
#[must_use]
pub fn about(target: &ChangeTarget, event: &Event) -> Event {
    let mut event = event.clone();
    match target {
        ChangeTarget::Token(id) => event.token_id = Some(*id),
        ChangeTarget::Owner(owner) => event.owner = Some(owner.clone()),
        _ => {}
    }
    event
}

/// Returns an event at `at(0)` with an actor, an owner, an origin and a change.
#[must_use]
pub fn event() -> Event {
    let mut event = Event::new(EventKind::Updated, at(0));
    event.actor = Some(owner("root"));
    event.owner = Some(owner("alice"));
    event.origin = Origin::new().ip("203.0.113.7".parse().expect("an address"));
    event.changes = vec![FieldChange {
        field: "name".to_owned(),
        before: "before".into(),
        after: "after".into(),
    }];
    event
}
