use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher as _, RandomState};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use hallpass_core::store::{
    BulkResult, Change, ChangeBatch, ChangeSeq, Deleted, ListPage, ListQuery, LogPosition, Lookup,
    Secrets, Snapshot, StoreError, StoredToken, TokenStore, TokenUse,
};
use hallpass_core::{CachedToken, Digest, Owner, OwnerStatus, OwnerStatusQuery, Revision, TokenId};
use jiff::Timestamp;

use super::faults::Fault;
use super::{Faults, Verb};

/// A store around another one: it counts what it is asked, and fails, stalls or answers late when a test says so.
/// Clones are one store.
///
/// ```
/// use hallpass_core::{Actor, AuthError, Hallpass, NewToken};
/// use hallpass_memory::MemoryStore;
/// use hallpass_testkit::{FaultyStore, Verb};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), hallpass_core::Error> {
/// let store = FaultyStore::new(MemoryStore::new());
/// let hallpass = Hallpass::builder(store.clone()).build();
/// let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await?;
/// let token = issued.token.reveal().as_bytes();
///
/// store.faults().on(Verb::Find).once().fail();
/// assert!(matches!(hallpass.authenticate(token).await, Err(AuthError::Unavailable(_))));
/// assert!(hallpass.authenticate(token).await.is_ok());
/// assert_eq!(store.faults().calls(Verb::Find), 2);
/// # Ok(()) }
/// ```
///
/// Put it under a cache, `Cached::new(FaultyStore::new(store))`, to break what the cache stands on. It has
/// none itself, but for what a test [pins](Self::pin).
pub struct FaultyStore<S>(Arc<Inner<S>>);

struct Inner<S> {
    store: Mutex<Arc<S>>,
    faults: Faults,
    /// What `cached` and `load` answer, true or not.
    pinned: Mutex<HashMap<TokenId, Arc<CachedToken>>>,
    /// How far the change log had come when it was last read.
    shown: Mutex<Option<LogPosition>>,
    /// A nudge has come that nobody was told of yet.
    owes_a_nudge: AtomicBool,
    makes_way: AtomicBool,
}

/// What a fault makes of a call that is made all the same.
#[derive(Clone, Copy)]
enum Twist {
    None,
    AnswerWith(TokenId),
    StandStill,
}

impl Twist {
    /// The token to look up instead of this one.
    fn instead_of(self, id: TokenId) -> TokenId {
        match self {
            Self::AnswerWith(other) => other,
            Self::None | Self::StandStill => id,
        }
    }
}

impl<S: TokenStore> FaultyStore<S> {
    /// A store with no faults yet.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self(Arc::new(Inner {
            store: Mutex::new(Arc::new(store)),
            faults: Faults::default(),
            pinned: Mutex::default(),
            shown: Mutex::default(),
            owes_a_nudge: AtomicBool::new(false),
            makes_way: AtomicBool::new(false),
        }))
    }

    /// What is wrong with it, to change, and what it was asked, to read.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// The store behind: the truth, past every fault and uncounted.
    #[must_use]
    pub fn inner(&self) -> Arc<S> {
        Arc::clone(&lock(&self.0.store))
    }

    /// Another store answers from now on, as after a failover.
    pub fn fail_over_to(&self, store: S) {
        *lock(&self.0.store) = Arc::new(store);
        *lock(&self.0.shown) = None;
    }

    /// Lets other tasks go before and after each call, by chance: so that races are run in many orders.
    #[must_use]
    pub fn making_way(self) -> Self {
        self.0.makes_way.store(true, Ordering::SeqCst);
        self
    }

    /// From now on answers a check with this token as it is stored now, whatever becomes of it: a cache in
    /// front that has missed every change since.
    ///
    /// # Errors
    ///
    /// The store behind has no such token, or failed.
    pub async fn pin(&self, id: TokenId) -> Result<(), StoreError> {
        let token = self.inner().reload(id).await?.ok_or_else(StoreError::not_found)?;
        lock(&self.0.pinned).insert(id, token);
        Ok(())
    }

    fn pinned(&self, id: TokenId) -> Option<Arc<CachedToken>> {
        lock(&self.0.pinned).get(&id).cloned()
    }

    /// Makes a call with whatever goes wrong with it.
    async fn run<T, F>(&self, verb: Verb, act: impl FnOnce(Twist) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        self.0.faults.count(verb);
        self.make_way().await;
        let outcome = match self.0.faults.next(verb).await {
            Some(Fault::Refuse(error)) => Err(error()),
            Some(Fault::LoseAnswer) => {
                let lost = "cut by a test after it was done";
                act(Twist::None).await.and(Err(StoreError::outcome_unknown(lost)))
            }
            Some(Fault::Hold(gate)) => {
                let outcome = act(Twist::None).await;
                gate.pass().await;
                outcome
            }
            Some(Fault::Delay(by)) => {
                tokio::time::sleep(by).await;
                act(Twist::None).await
            }
            Some(Fault::Meanwhile(what)) => {
                let outcome = act(Twist::None).await;
                let what = lock(&what).take();
                if let Some(what) = what {
                    what.await;
                }
                outcome
            }
            Some(Fault::AnswerWith(id)) => act(Twist::AnswerWith(id)).await,
            Some(Fault::StandStill) => act(Twist::StandStill).await,
            None | Some(Fault::Stall(_) | Fault::Repeat) => act(Twist::None).await,
        };
        self.make_way().await;
        outcome
    }

    async fn make_way(&self) {
        if self.0.makes_way.load(Ordering::SeqCst) {
            // No two random states hash alike.
            for _ in 0..RandomState::new().hash_one(0_u8) % 4 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// The log as it looked when it was last read without this fault.
    fn as_before(&self, mut changes: ChangeBatch) -> ChangeBatch {
        let shown = *lock(&self.0.shown).get_or_insert(changes.head);
        changes.lines.retain(|line| line.at.seq <= shown.seq);
        changes.head = shown;
        changes
    }

    /// Waits for the store's own nudge, or one that a test gives.
    async fn any_nudge(&self, seen: LogPosition) {
        let store = self.inner();
        let mut theirs = pin!(store.nudged(seen));
        let mut ours = pin!(self.0.faults.nudged());
        std::future::poll_fn(|cx| {
            let nudged = ours.as_mut().poll(cx).is_ready() || theirs.as_mut().poll(cx).is_ready();
            if nudged { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls that are passed on as they are.
macro_rules! passed_on {
    ($($verb:ident $method:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {$(
        async fn $method(&self, $($arg: $type),*) -> Result<$out, StoreError> {
            self.run(Verb::$verb, |_| async { self.inner().$method($($arg),*).await }).await
        }
    )*};
}

impl<S: TokenStore> TokenStore for FaultyStore<S> {
    passed_on! {
        List list(query: &ListQuery) -> ListPage;
        Ping ping() -> ();
        Insert insert(token: &StoredToken, limit: Option<u32>) -> ChangeSeq;
        Change change(change: &Change) -> ChangeSeq;
        Rekey rekey(id: TokenId, expected: &Digest, secrets: &Secrets) -> ChangeSeq;
        Delete delete(id: TokenId, expected: Option<Revision>) -> ChangeSeq;
        DeleteMany delete_many(owner: Option<&Owner>, ids: &[TokenId]) -> Deleted;
        DeleteOwner delete_owner(owner: &Owner) -> BulkResult;
        RevokeOwner revoke_owner(owner: &Owner, at: Timestamp) -> BulkResult;
        Announce announce(owner: &Owner) -> ChangeSeq;
        Touch touch(uses: &[TokenUse]) -> u64;
        Prune prune(ended_before: Timestamp, limit: u32) -> u64;
    }

    async fn find(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        let find = |twist: Twist| async move { self.inner().find(twist.instead_of(id)).await };
        self.run(Verb::Find, find).await
    }

    async fn reload(&self, id: TokenId) -> Result<Option<Arc<CachedToken>>, StoreError> {
        let reload = |twist: Twist| async move { self.inner().reload(twist.instead_of(id)).await };
        self.run(Verb::Find, reload).await
    }

    async fn load(&self, id: TokenId) -> Result<Option<Arc<CachedToken>>, StoreError> {
        if let Some(pinned) = self.pinned(id) {
            return Ok(Some(pinned));
        }
        let load = |twist: Twist| async move { self.inner().load(twist.instead_of(id)).await };
        self.run(Verb::Find, load).await
    }

    fn cached(&self, id: TokenId) -> Lookup {
        self.pinned(id).map_or_else(|| self.inner().cached(id), Lookup::Hit)
    }

    fn is_cache(&self) -> bool {
        !lock(&self.0.pinned).is_empty() || self.inner().is_cache()
    }

    fn clock_behind(&self) -> Duration {
        self.inner().clock_behind()
    }

    fn cached_standing(&self, owner: &Owner) -> Option<Arc<OwnerStatus>> {
        self.inner().cached_standing(owner)
    }

    /// The host's answer, not the store's: no fault is in it.
    async fn standing(
        &self,
        owner: &Owner,
        question: OwnerStatusQuery,
    ) -> Result<Arc<OwnerStatus>, Box<dyn std::error::Error + Send + Sync>> {
        self.inner().standing(owner, question).await
    }

    async fn changes(
        &self,
        from: Option<LogPosition>,
        limit: u32,
    ) -> Result<ChangeBatch, StoreError> {
        let read = |twist: Twist| async move {
            let changes = self.inner().changes(from, limit).await?;
            if matches!(twist, Twist::StandStill) {
                return Ok(self.as_before(changes));
            }
            *lock(&self.0.shown) = Some(changes.head);
            Ok(changes)
        };
        self.run(Verb::ChangeBatch, read).await
    }

    async fn nudged(&self, mut seen: LogPosition) {
        let owed = &self.0.owes_a_nudge;
        loop {
            if !owed.load(Ordering::SeqCst) {
                self.any_nudge(seen).await;
                // Remembered until it is delivered: who stops waiting while it is late loses nothing.
                owed.store(true, Ordering::SeqCst);
                self.0.faults.count(Verb::Nudged);
            }
            let fault = self.0.faults.next(Verb::Nudged).await;
            match fault {
                Some(Fault::Refuse(_) | Fault::LoseAnswer) => {
                    owed.store(false, Ordering::SeqCst);
                    // What is lost is lost: the store behind would say the same again at once, and for ever.
                    match self.inner().changes(None, 0).await {
                        Ok(changes) => seen = changes.head,
                        Err(_) => tokio::task::yield_now().await,
                    }
                    continue;
                }
                Some(Fault::Repeat) => return,
                Some(Fault::Hold(gate)) => gate.pass().await,
                Some(Fault::Delay(by)) => tokio::time::sleep(by).await,
                Some(Fault::Meanwhile(what)) => {
                    let what = lock(&what).take();
                    if let Some(what) = what {
                        what.await;
                    }
                }
                None | Some(Fault::Stall(_) | Fault::AnswerWith(_) | Fault::StandStill) => {}
            }
            owed.store(false, Ordering::SeqCst);
            return;
        }
    }

    async fn close(&self) {
        self.inner().close().await;
    }
}

impl<S> Clone for FaultyStore<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: fmt::Debug> fmt::Debug for FaultyStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyStore")
            .field("inner", &*lock(&self.0.store))
            .field("faults", &self.0.faults)
            .finish_non_exhaustive()
    }
}
