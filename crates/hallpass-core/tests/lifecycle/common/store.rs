//! The store in memory, with faults, races and a stale cache on demand.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use hallpass_core::store::{
    Bulk, Change, Changes, Deleted, ListPage, ListQuery, Position, Secrets, Seq, Snapshot,
    StoreError, StoredToken, TokenStore, Use,
};
use hallpass_core::{Digest, LoadedToken, Owner, Revision, TokenId};
use hallpass_memory::MemoryStore;
use jiff::Timestamp;

/// What a store is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Verb {
    Insert,
    Find,
    List,
    Change,
    Rekey,
    Delete,
    DeleteMany,
    DeleteOwner,
    RevokeOwner,
    Announce,
    Touch,
    Prune,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    Unavailable,
    ReadOnly,
    Corrupt,
    /// The id is taken.
    Duplicate,
    /// It never answers.
    Stall,
    /// It is done, and the answer is lost.
    LostAfter,
    /// It is not done, and nobody can tell.
    LostBefore,
    /// A read answers with this token instead.
    Another(TokenId),
}

type Boxed = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Clone)]
pub(crate) struct TestStore {
    inner: MemoryStore,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// The fault, and for how many calls.
    faults: Mutex<HashMap<Verb, (Fault, u32)>>,
    calls: Mutex<HashMap<Verb, u32>>,
    /// Runs once, when the verb has been done and before its caller hears of it.
    intruders: Mutex<HashMap<Verb, Boxed>>,
    /// What `cached` and `load` answer, true or not.
    pinned: Mutex<HashMap<TokenId, Arc<LoadedToken>>>,
    /// Up to how many times each call lets the other tasks go first.
    yields: AtomicU32,
}

impl TestStore {
    pub(crate) fn new() -> Self {
        Self { inner: MemoryStore::new(), shared: Arc::default() }
    }

    /// Lets other tasks in before and after each call, more or less often.
    pub(crate) fn yielding(self) -> Self {
        self.shared.yields.store(4, Ordering::SeqCst);
        self
    }

    /// From now on, until [`heal`](Self::heal).
    pub(crate) fn fail(&self, verb: Verb, fault: Fault) {
        self.fail_times(verb, fault, u32::MAX);
    }

    pub(crate) fn fail_times(&self, verb: Verb, fault: Fault, times: u32) {
        self.shared.faults.lock().unwrap().insert(verb, (fault, times));
    }

    pub(crate) fn heal(&self) {
        self.shared.faults.lock().unwrap().clear();
    }

    pub(crate) fn intrude(&self, after: Verb, what: impl Future<Output = ()> + Send + 'static) {
        self.shared.intruders.lock().unwrap().insert(after, Box::pin(what));
    }

    /// How often the verb was called.
    pub(crate) fn calls(&self, verb: Verb) -> u32 {
        self.shared.calls.lock().unwrap().get(&verb).copied().unwrap_or(0)
    }

    /// Makes the token as it is now what a cache would go on answering.
    pub(crate) async fn pin(&self, id: TokenId) {
        let stored = self.stored(id).await.unwrap();
        let loaded = Arc::new(LoadedToken::new(stored));
        self.shared.pinned.lock().unwrap().insert(id, loaded);
    }

    /// The truth, past every fault.
    pub(crate) async fn stored(&self, id: TokenId) -> Option<StoredToken> {
        self.inner.find(id).await.unwrap().value
    }

    /// How far the change log has come.
    pub(crate) async fn head(&self) -> Seq {
        self.inner.changes(None, 0).await.unwrap().head.seq
    }

    fn fault(&self, verb: Verb) -> Option<Fault> {
        let mut faults = self.shared.faults.lock().unwrap();
        let (fault, left) = faults.get_mut(&verb)?;
        let fault = *fault;
        *left -= 1;
        if *left == 0 {
            faults.remove(&verb);
        }
        Some(fault)
    }

    async fn make_way(&self) {
        let most = self.shared.yields.load(Ordering::SeqCst);
        if most > 0 {
            for _ in 0..getrandom::u32().unwrap() % most {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn run<T>(
        &self,
        verb: Verb,
        act: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        *self.shared.calls.lock().unwrap().entry(verb).or_default() += 1;
        self.make_way().await;
        let outcome = match self.fault(verb) {
            None | Some(Fault::Another(_)) => act.await,
            Some(Fault::Unavailable) => Err(StoreError::unavailable("nobody answers")),
            Some(Fault::ReadOnly) => Err(StoreError::read_only("a standby")),
            Some(Fault::Corrupt) => Err(StoreError::corrupt("a row of another version")),
            Some(Fault::Duplicate) => Err(StoreError::duplicate()),
            Some(Fault::Stall) => std::future::pending().await,
            Some(Fault::LostAfter) => {
                act.await.and(Err(StoreError::outcome_unknown("connection reset")))
            }
            Some(Fault::LostBefore) => Err(StoreError::outcome_unknown("connection reset")),
        };
        let intruder = self.shared.intruders.lock().unwrap().remove(&verb);
        if let Some(intruder) = intruder {
            intruder.await;
        }
        self.make_way().await;
        outcome
    }
}

impl TokenStore for TestStore {
    async fn insert(&self, token: &StoredToken, limit: Option<u32>) -> Result<Seq, StoreError> {
        self.run(Verb::Insert, self.inner.insert(token, limit)).await
    }

    async fn find(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        let asked = match self.shared.faults.lock().unwrap().get(&Verb::Find) {
            Some((Fault::Another(other), _)) => *other,
            _ => id,
        };
        self.run(Verb::Find, self.inner.find(asked)).await
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        self.run(Verb::List, self.inner.list(query)).await
    }

    async fn change(&self, change: &Change) -> Result<Seq, StoreError> {
        self.run(Verb::Change, self.inner.change(change)).await
    }

    async fn rekey(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
    ) -> Result<Seq, StoreError> {
        self.run(Verb::Rekey, self.inner.rekey(id, expected, secrets)).await
    }

    async fn delete(&self, id: TokenId, expected: Option<Revision>) -> Result<Seq, StoreError> {
        self.run(Verb::Delete, self.inner.delete(id, expected)).await
    }

    async fn delete_many(
        &self,
        owner: Option<&Owner>,
        ids: &[TokenId],
    ) -> Result<Deleted, StoreError> {
        self.run(Verb::DeleteMany, self.inner.delete_many(owner, ids)).await
    }

    async fn delete_owner(&self, owner: &Owner) -> Result<Bulk, StoreError> {
        self.run(Verb::DeleteOwner, self.inner.delete_owner(owner)).await
    }

    async fn revoke_owner(&self, owner: &Owner, at: Timestamp) -> Result<Bulk, StoreError> {
        self.run(Verb::RevokeOwner, self.inner.revoke_owner(owner, at)).await
    }

    async fn announce(&self, owner: &Owner) -> Result<Seq, StoreError> {
        self.run(Verb::Announce, self.inner.announce(owner)).await
    }

    async fn touch(&self, uses: &[Use]) -> Result<u64, StoreError> {
        self.run(Verb::Touch, self.inner.touch(uses)).await
    }

    async fn prune(&self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.run(Verb::Prune, self.inner.prune(ended_before, limit)).await
    }

    async fn changes(&self, from: Option<Position>, limit: u32) -> Result<Changes, StoreError> {
        self.inner.changes(from, limit).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }

    fn cached(&self, id: TokenId) -> Option<Arc<LoadedToken>> {
        self.shared.pinned.lock().unwrap().get(&id).cloned()
    }

    fn is_cache(&self) -> bool {
        !self.shared.pinned.lock().unwrap().is_empty()
    }

    async fn load(&self, id: TokenId) -> Result<Option<Arc<LoadedToken>>, StoreError> {
        if let Some(pinned) = self.cached(id) {
            return Ok(Some(pinned));
        }
        Ok(self.find(id).await?.value.map(LoadedToken::new).map(Arc::new))
    }
}
