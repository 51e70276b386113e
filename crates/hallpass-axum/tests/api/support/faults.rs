//! A store that fails when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use hallpass_core::store::{
    Bulk, Change, Changes, Deleted, ListPage, ListQuery, Position, Secrets, Seq, Snapshot,
    StoreError, StoredToken, TokenStore, Use,
};
use hallpass_core::{Digest, Owner, Revision, TokenId};
use jiff::Timestamp;

/// How the store fails.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// It cannot be reached at all.
    Unreachable = 1,
    /// It can be read, and takes no changes.
    ReadOnly = 2,
    /// It makes every change, and the answer is lost.
    AnswerLost = 3,
}

/// The switch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Arc<AtomicU8>);

impl Faults {
    pub(crate) fn set(&self, fault: Fault) {
        self.0.store(fault as u8, Ordering::Relaxed);
    }

    pub(crate) fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn is(&self, fault: Fault) -> bool {
        self.0.load(Ordering::Relaxed) == fault as u8
    }
}

pub(crate) struct FaultyStore<S> {
    store: S,
    faults: Faults,
}

impl<S: TokenStore> FaultyStore<S> {
    pub(crate) fn new(store: S, faults: Faults) -> Self {
        Self { store, faults }
    }

    fn before_reading(&self) -> Result<(), StoreError> {
        if self.faults.is(Fault::Unreachable) {
            return Err(StoreError::unavailable("connection refused by db.internal"));
        }
        Ok(())
    }

    fn before_changing(&self) -> Result<(), StoreError> {
        self.before_reading()?;
        if self.faults.is(Fault::ReadOnly) {
            return Err(StoreError::read_only("db.internal is a standby"));
        }
        Ok(())
    }

    fn after_changing(&self) -> Result<(), StoreError> {
        if self.faults.is(Fault::AnswerLost) {
            return Err(StoreError::outcome_unknown("connection to db.internal was reset"));
        }
        Ok(())
    }
}

/// Each read and each change of the store behind, with the faults around it.
macro_rules! faulty {
    (reads { $($read:ident($($read_arg:ident: $read_type:ty),*) -> $read_out:ty;)* }
     changes { $($change:ident($($arg:ident: $type:ty),*) -> $out:ty;)* }) => {
        impl<S: TokenStore> TokenStore for FaultyStore<S> {
            $(async fn $read(&self, $($read_arg: $read_type),*) -> Result<$read_out, StoreError> {
                self.before_reading()?;
                self.store.$read($($read_arg),*).await
            })*
            $(async fn $change(&self, $($arg: $type),*) -> Result<$out, StoreError> {
                self.before_changing()?;
                let done = self.store.$change($($arg),*).await?;
                self.after_changing()?;
                Ok(done)
            })*
        }
    };
}

faulty! {
    reads {
        find(id: TokenId) -> Snapshot<Option<StoredToken>>;
        list(query: &ListQuery) -> ListPage;
        changes(from: Option<Position>, limit: u32) -> Changes;
        ping() -> ();
    }
    changes {
        insert(token: &StoredToken, limit: Option<u32>) -> Seq;
        change(change: &Change) -> Seq;
        rekey(id: TokenId, expected: &Digest, secrets: &Secrets) -> Seq;
        delete(id: TokenId, expected: Option<Revision>) -> Seq;
        delete_many(owner: Option<&Owner>, ids: &[TokenId]) -> Deleted;
        delete_owner(owner: &Owner) -> Bulk;
        revoke_owner(owner: &Owner, at: Timestamp) -> Bulk;
        announce(owner: &Owner) -> Seq;
        touch(uses: &[Use]) -> u64;
        prune(ended_before: Timestamp, limit: u32) -> u64;
    }
}
