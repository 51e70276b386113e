//! A store that does what a test says, around the real one in memory: late, broken, counted, replaced.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use hallpass_core::store::{
    Bulk, Change, Changes, Deleted, ListPage, ListQuery, Position, Secrets, Seq, Snapshot,
    StoreError, StoredToken, TokenStore, Use,
};
use hallpass_core::{Digest, Owner, Revision, TokenId};
use hallpass_memory::MemoryStore;
use jiff::Timestamp;
use tokio::sync::Semaphore;

/// Clones are one store.
#[derive(Clone, Debug)]
pub(super) struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Mutex<MemoryStore>,
    reads: AtomicUsize,
    /// Answers of `find` wait here, after they were read, while the gate is shut.
    answers: Semaphore,
    shut: AtomicBool,
    /// The next answer alone waits.
    hold_one: AtomicBool,
    broken: AtomicBool,
    log_stands_still: AtomicBool,
}

impl Gate {
    pub(super) fn new(store: &MemoryStore) -> Self {
        Self(Arc::new(Inner {
            store: Mutex::new(store.clone()),
            reads: AtomicUsize::new(0),
            answers: Semaphore::new(0),
            shut: AtomicBool::new(false),
            hold_one: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            log_stands_still: AtomicBool::new(false),
        }))
    }

    /// How often a token was read.
    pub(super) fn reads(&self) -> usize {
        self.0.reads.load(Ordering::SeqCst)
    }

    /// From now on answers are held back after they were read.
    pub(super) fn shut(&self) {
        self.0.shut.store(true, Ordering::SeqCst);
    }

    /// The next answer is held back after it was read; those after it are not.
    pub(super) fn hold_one(&self) {
        self.0.hold_one.store(true, Ordering::SeqCst);
    }

    /// Lets all answers go.
    pub(super) fn open(&self) {
        self.0.shut.store(false, Ordering::SeqCst);
        self.0.answers.add_permits(10_000);
    }

    /// Waits until so many reads have been made.
    pub(super) async fn until_read(&self, reads: usize) {
        while self.reads() < reads {
            tokio::task::yield_now().await;
        }
    }

    /// Whether every call fails.
    pub(super) fn set_broken(&self, broken: bool) {
        self.0.broken.store(broken, Ordering::SeqCst);
    }

    /// Whether the change log can no longer be read: the push and the poll are cut.
    pub(super) fn cut_the_log(&self, cut: bool) {
        self.0.log_stands_still.store(cut, Ordering::SeqCst);
    }

    /// A failover: from now on another store answers.
    pub(super) fn fail_over_to(&self, store: &MemoryStore) {
        *self.0.store.lock().unwrap() = store.clone();
    }

    fn store(&self) -> Result<MemoryStore, StoreError> {
        if self.0.broken.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("broken by the test"));
        }
        Ok(self.0.store.lock().unwrap().clone())
    }
}

impl TokenStore for Gate {
    async fn find(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        let found = self.store()?.find(id).await;
        self.0.reads.fetch_add(1, Ordering::SeqCst);
        if self.0.hold_one.swap(false, Ordering::SeqCst) || self.0.shut.load(Ordering::SeqCst) {
            self.0.answers.acquire().await.map_err(StoreError::unavailable)?.forget();
        }
        found
    }

    async fn changes(&self, from: Option<Position>, limit: u32) -> Result<Changes, StoreError> {
        if self.0.log_stands_still.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("the log is cut by the test"));
        }
        self.store()?.changes(from, limit).await
    }

    async fn insert(&self, token: &StoredToken, limit: Option<u32>) -> Result<Seq, StoreError> {
        self.store()?.insert(token, limit).await
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        self.store()?.list(query).await
    }

    async fn change(&self, change: &Change) -> Result<Seq, StoreError> {
        self.store()?.change(change).await
    }

    async fn rekey(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
    ) -> Result<Seq, StoreError> {
        self.store()?.rekey(id, expected, secrets).await
    }

    async fn delete(&self, id: TokenId, expected: Option<Revision>) -> Result<Seq, StoreError> {
        self.store()?.delete(id, expected).await
    }

    async fn delete_many(
        &self,
        owner: Option<&Owner>,
        ids: &[TokenId],
    ) -> Result<Deleted, StoreError> {
        self.store()?.delete_many(owner, ids).await
    }

    async fn delete_owner(&self, owner: &Owner) -> Result<Bulk, StoreError> {
        self.store()?.delete_owner(owner).await
    }

    async fn revoke_owner(&self, owner: &Owner, at: Timestamp) -> Result<Bulk, StoreError> {
        self.store()?.revoke_owner(owner, at).await
    }

    async fn announce(&self, owner: &Owner) -> Result<Seq, StoreError> {
        self.store()?.announce(owner).await
    }

    async fn touch(&self, uses: &[Use]) -> Result<u64, StoreError> {
        self.store()?.touch(uses).await
    }

    async fn prune(&self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.store()?.prune(ended_before, limit).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.store()?.ping().await
    }
}
