//! Stores that violate the store contract in ways that no cache can make up for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hallpass_core::store::{
    AuditPage, AuditQuery, BulkResult, Change, ChangeBatch, ChangeSeq, Deleted, ListPage,
    ListQuery, LogPosition, Secrets, Snapshot, StoreError, StoredToken, TokenStore, TokenUse,
    fresh_nonce,
};
use hallpass_core::{Digest, Event, Owner, Revision, TokenId};
use hallpass_memory::MemoryStore;
use hallpass_testkit::FaultyStore;
use jiff::{SignedDuration, Timestamp};

use super::event;

/// The flaw of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    /// The store reads the token first, and the sequence number some time later.
    ClockIsReadLater,
    /// The store takes a sequence number first, and commits the change some time later.
    NumbersBeforeCommit,
    /// The store loses a log entry.
    LineIsLost,
    /// The log has another history at each read, as if each read reached another server.
    ForksAtEachRead,
    /// The store's clock is five minutes ahead of this machine's clock, or behind it.
    ClockIsAhead,
    ClockIsBehind,
}

const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(5);

#[derive(Clone, Debug)]
pub(super) struct Flawed {
    store: FaultyStore<MemoryStore>,
    flaw: Flaw,
    overtaken: Arc<Mutex<Option<Overtaken>>>,
    lost: Arc<Mutex<Option<ChangeSeq>>>,
}

/// A sequence number of a change that another change has overtaken.
#[derive(Clone, Copy, Debug)]
struct Overtaken {
    number: ChangeSeq,
    by: LogPosition,
}

impl Flawed {
    pub(super) fn new(store: FaultyStore<MemoryStore>, flaw: Flaw) -> Self {
        Self { store, flaw, overtaken: Arc::default(), lost: Arc::default() }
    }

    /// Starts a change, and makes another one before the first is committed. With the flaw, the
    /// next change gets the number of the first one.
    pub(super) async fn overtake(&self) {
        let log = self.store.inner();
        let (first, second) = (Owner::new("first").unwrap(), Owner::new("second").unwrap());
        let number = log.log_owner_change(&first, &event()).await.unwrap();
        log.log_owner_change(&second, &event()).await.unwrap();
        let by = log.changes(None, 0).await.unwrap().head;
        *lock(&self.overtaken) = Some(Overtaken { number, by });
    }

    /// Removes the newest log entry, if the store has that flaw.
    pub(super) async fn lose_the_last_line(&self) {
        *lock(&self.lost) = Some(self.store.inner().changes(None, 0).await.unwrap().head.seq);
    }

    fn overtaken(&self) -> Option<Overtaken> {
        lock(&self.overtaken).filter(|_| self.flaw == Flaw::NumbersBeforeCommit)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

macro_rules! forward {
    ($($method:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {$(
        async fn $method(&self, $($arg: $type),*) -> Result<$out, StoreError> {
            self.store.$method($($arg),*).await
        }
    )*};
}

impl TokenStore for Flawed {
    forward! {
        list(query: &ListQuery) -> ListPage;
        audit(query: &AuditQuery) -> AuditPage;
        ping() -> ();
        insert(token: &StoredToken, limit: Option<u32>, event: &Event) -> ChangeSeq;
        update(change: &Change, event: &Event) -> ChangeSeq;
        replace_digest(id: TokenId, expected: &Digest, secrets: &Secrets, event: &Event) -> ChangeSeq;
        delete(id: TokenId, expected: Option<Revision>, event: &Event) -> ChangeSeq;
        delete_many(owner: Option<&Owner>, ids: &[TokenId], event: &Event) -> Deleted;
        delete_owner(owner: &Owner, event: &Event) -> BulkResult;
        revoke_owner(owner: &Owner, issued_before: Option<Timestamp>, at: Timestamp, event: &Event) -> BulkResult;
        revoke_everyone(issued_before: Option<Timestamp>, at: Timestamp, limit: u32, event: &Event) -> BulkResult;
        log_owner_change(owner: &Owner, event: &Event) -> ChangeSeq;
        record_uses(uses: &[TokenUse]) -> u64;
        prune(ended_before: Timestamp, limit: u32, event: &Event) -> u64;
        prune_log(written_before: Timestamp, limit: u32) -> u64;
    }

    async fn get(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        let mut found = self.store.get(id).await?;
        if self.flaw == Flaw::ClockIsReadLater {
            found.as_of = self.store.inner().changes(None, 0).await?.head.seq;
        }
        Ok(found)
    }

    async fn changes(
        &self,
        from: Option<LogPosition>,
        limit: u32,
    ) -> Result<ChangeBatch, StoreError> {
        let mut changes = self.store.changes(from, limit).await?;
        if let Some(Overtaken { number, by }) = self.overtaken() {
            let late = changes.entries.iter().find(|entry| entry.position.seq > by.seq).cloned();
            changes.entries.retain(|entry| {
                entry.position.seq <= by.seq && (entry.position.seq != number || late.is_some())
            });
            if let (Some(late), Some(entry)) =
                (late, changes.entries.iter_mut().find(|entry| entry.position.seq == number))
            {
                entry.target = late.target;
            }
            changes.head = by;
        }
        if let Some(lost) = lock(&self.lost).filter(|_| self.flaw == Flaw::LineIsLost) {
            changes.entries.retain(|entry| entry.position.seq != lost);
        }
        if self.flaw == Flaw::ForksAtEachRead {
            changes.head.nonce = fresh_nonce().unwrap();
            changes.entries.clear();
            tokio::task::yield_now().await;
        }
        changes.time = match self.flaw {
            Flaw::ClockIsAhead => Some(Timestamp::now() + CLOCKS_APART),
            Flaw::ClockIsBehind => Some(Timestamp::now() - CLOCKS_APART),
            _ => None,
        };
        Ok(changes)
    }

    async fn wait_for_change(&self, seen: LogPosition) {
        self.store.wait_for_change(seen).await;
    }

    async fn close(&self) {
        self.store.close().await;
    }
}
