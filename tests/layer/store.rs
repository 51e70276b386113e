//! The store in memory, watched: every call is counted, and it can fail, wait, or have a cache in front.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use hallpass_core::store::{
    Bulk, Change, Changes, Deleted, ListPage, ListQuery, Position, Secrets, Seq, Snapshot,
    StoreError, StoredToken, TokenStore, Use,
};
use hallpass_core::{Digest, LoadedToken, Owner, Revision, TokenId};
use hallpass_memory::MemoryStore;
use jiff::Timestamp;
use tokio::sync::watch;

#[derive(Clone)]
pub(crate) struct WatchedStore {
    inner: MemoryStore,
    shared: Arc<Shared>,
}

struct Shared {
    /// Calls so far, but for the writing of uses, which the layer does on its own time.
    calls: AtomicU32,
    fault: Mutex<Option<fn() -> StoreError>>,
    /// How many look-ups have come, for those that wait until one has.
    looks: watch::Sender<u32>,
    /// Look-ups wait while it is closed.
    open: watch::Sender<bool>,
    /// What a cache in front would hold.
    warm: Mutex<HashMap<TokenId, Arc<LoadedToken>>>,
}

impl WatchedStore {
    pub(crate) fn new() -> Self {
        let shared = Shared {
            calls: AtomicU32::new(0),
            fault: Mutex::default(),
            looks: watch::Sender::new(0),
            open: watch::Sender::new(true),
            warm: Mutex::default(),
        };
        Self { inner: MemoryStore::new(), shared: Arc::new(shared) }
    }

    pub(crate) fn calls(&self) -> u32 {
        self.shared.calls.load(Ordering::SeqCst)
    }

    /// Every look-up fails like this from now on; `None` mends it.
    pub(crate) fn fail(&self, with: Option<fn() -> StoreError>) {
        *self.shared.fault.lock().unwrap() = with;
    }

    /// Look-ups wait from now on, until [`open`](Self::open).
    pub(crate) fn stall(&self) {
        self.shared.open.send_replace(false);
    }

    pub(crate) fn open(&self) {
        self.shared.open.send_replace(true);
    }

    /// Waits until that many look-ups have come since the start.
    pub(crate) async fn looked_up(&self, times: u32) {
        let mut looks = self.shared.looks.subscribe();
        looks.wait_for(|so_far| *so_far >= times).await.unwrap();
    }

    pub(crate) fn lookups(&self) -> u32 {
        *self.shared.looks.borrow()
    }

    /// Puts a token's record into the cache, as it is now.
    pub(crate) async fn warm(&self, id: TokenId) {
        if let Some(stored) = self.inner.find(id).await.unwrap().value {
            let loaded = Arc::new(LoadedToken::new(stored));
            self.shared.warm.lock().unwrap().insert(id, loaded);
        }
    }

    fn note(&self) {
        self.shared.calls.fetch_add(1, Ordering::SeqCst);
    }
}

/// Calls that are counted and passed on.
macro_rules! counted {
    ($($verb:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {$(
        async fn $verb(&self, $($arg: $type),*) -> Result<$out, StoreError> {
            self.note();
            self.inner.$verb($($arg),*).await
        }
    )*};
}

impl TokenStore for WatchedStore {
    counted! {
        insert(token: &StoredToken, limit: Option<u32>) -> Seq;
        list(query: &ListQuery) -> ListPage;
        change(change: &Change) -> Seq;
        rekey(id: TokenId, expected: &Digest, secrets: &Secrets) -> Seq;
        delete(id: TokenId, expected: Option<Revision>) -> Seq;
        delete_many(owner: Option<&Owner>, ids: &[TokenId]) -> Deleted;
        delete_owner(owner: &Owner) -> Bulk;
        revoke_owner(owner: &Owner, at: Timestamp) -> Bulk;
        announce(owner: &Owner) -> Seq;
        prune(ended_before: Timestamp, limit: u32) -> u64;
        changes(from: Option<Position>, limit: u32) -> Changes;
        ping() -> ();
    }

    async fn find(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        self.note();
        self.shared.looks.send_modify(|looks| *looks += 1);
        let mut open = self.shared.open.subscribe();
        open.wait_for(|open| *open).await.map_err(StoreError::unavailable)?;
        let fault = *self.shared.fault.lock().unwrap();
        match fault {
            Some(error) => Err(error()),
            None => self.inner.find(id).await,
        }
    }

    async fn touch(&self, uses: &[Use]) -> Result<u64, StoreError> {
        self.inner.touch(uses).await
    }

    fn cached(&self, id: TokenId) -> Option<Arc<LoadedToken>> {
        self.shared.warm.lock().unwrap().get(&id).cloned()
    }
}
