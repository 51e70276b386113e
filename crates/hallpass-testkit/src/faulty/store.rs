//! A store whose faults a test sets.

use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher as _, RandomState};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use hallpass_core::store::{
    AuditPage, AuditQuery, BulkResult, Change, ChangeBatch, ChangeSeq, Deleted, ListPage,
    ListQuery, LogPosition, Secrets, Snapshot, StoreError, StoredToken, TokenStore, TokenUse,
};
use hallpass_core::{Digest, Event, Owner, Revision, TokenId};
use jiff::Timestamp;

use super::faults::Fault;
use super::{Faults, Operation};

/// A wrapper around another store that counts its calls, and fails, stalls or responds late if a
/// test sets a fault. Clones are the same store.
///
/// ```
/// use hallpass_core::{Actor, AuthError, Hallpass, NewToken};
/// use hallpass_memory::MemoryStore;
/// use hallpass_testkit::{FaultyStore, Operation};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), hallpass_core::Error> {
/// let store = FaultyStore::new(MemoryStore::new());
/// let hallpass = Hallpass::builder(store.clone()).build();
/// let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await?;
/// let token = issued.token.reveal().as_bytes();
///
/// store.faults().on(Operation::Get).once().fail();
/// assert!(matches!(hallpass.authenticate(token).await, Err(AuthError::Unavailable(_))));
/// assert!(hallpass.authenticate(token).await.is_ok());
/// assert_eq!(store.faults().calls(Operation::Get), 2);
/// # Ok(()) }
/// ```
///
/// To test a cache, put it behind the cache: `Cached::new(FaultyStore::new(store))`. For a cache
/// with faults, see [`StaleCache`](super::StaleCache).
pub struct FaultyStore<S>(Arc<Inner<S>>);

struct Inner<S> {
    store: Mutex<Arc<S>>,
    faults: Faults,
    /// The head of the change log when it was last read.
    shown: Mutex<Option<LogPosition>>,
    /// Whether a notification has arrived that was not delivered yet.
    owes_notification: AtomicBool,
    /// Whether calls yield to other tasks at random.
    makes_way: AtomicBool,
}

/// A change of the result of a call that a fault causes.
#[derive(Clone, Copy)]
enum Twist {
    /// The result is right.
    None,
    /// The result is another token.
    AnswerWith(TokenId),
    /// The result is the change log as it was before.
    StandStill,
}

impl Twist {
    /// Returns the token to look up instead of this one.
    fn instead_of(self, id: TokenId) -> TokenId {
        match self {
            Self::AnswerWith(other) => other,
            Self::None | Self::StandStill => id,
        }
    }
}

impl<S: TokenStore> FaultyStore<S> {
    /// Creates a store without faults.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self(Arc::new(Inner {
            store: Mutex::new(Arc::new(store)),
            faults: Faults::default(),
            shown: Mutex::default(),
            owes_notification: AtomicBool::new(false),
            makes_way: AtomicBool::new(false),
        }))
    }

    /// Returns the faults, which a test can set, and the number of calls.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// Returns the inner store. Its calls have no faults and are not counted.
    #[must_use]
    pub fn inner(&self) -> Arc<S> {
        Arc::clone(&lock(&self.0.store))
    }

    /// Replaces the inner store, as a failover does.
    pub fn fail_over_to(&self, store: S) {
        *lock(&self.0.store) = Arc::new(store);
        *lock(&self.0.shown) = None;
    }

    /// Makes each call yield to other tasks at random, before and after it. Races then happen in
    /// many orders.
    #[must_use]
    pub fn making_way(self) -> Self {
        self.0.makes_way.store(true, Ordering::SeqCst);
        self
    }

    /// Makes a call with the fault that applies to it.
    async fn run<T, F>(
        &self,
        operation: Operation,
        act: impl FnOnce(Twist) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        self.0.faults.count(operation);
        self.make_way().await;
        let outcome = match self.0.faults.next(operation).await {
            Some(Fault::Reject(error)) => Err(error()),
            Some(Fault::LoseAnswer) => {
                let lost = "the test cut the connection after the call was made";
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

    /// Yields to other tasks at random, if that is turned on.
    async fn make_way(&self) {
        if self.0.makes_way.load(Ordering::SeqCst) {
            // Each `RandomState` hashes differently, so this is a random number.
            for _ in 0..RandomState::new().hash_one(0_u8) % 4 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Returns the log as it was when it was last read without this fault.
    fn as_before(&self, mut changes: ChangeBatch) -> ChangeBatch {
        let shown = *lock(&self.0.shown).get_or_insert(changes.head);
        changes.entries.retain(|entry| entry.position.seq <= shown.seq);
        changes.head = shown;
        changes
    }

    /// Waits for a notification of the inner store or of the test.
    async fn any_notification(&self, seen: LogPosition) {
        let store = self.inner();
        let mut theirs = pin!(store.wait_for_change(seen));
        let mut ours = pin!(self.0.faults.notified());
        std::future::poll_fn(|cx| {
            let notified = ours.as_mut().poll(cx).is_ready() || theirs.as_mut().poll(cx).is_ready();
            if notified { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Implements methods that only forward the call.
macro_rules! forward {
    ($($operation:ident $method:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {$(
        async fn $method(&self, $($arg: $type),*) -> Result<$out, StoreError> {
            self.run(Operation::$operation, |_| async { self.inner().$method($($arg),*).await })
                .await
        }
    )*};
}

impl<S: TokenStore> TokenStore for FaultyStore<S> {
    forward! {
        List list(query: &ListQuery) -> ListPage;
        Audit audit(query: &AuditQuery) -> AuditPage;
        Ping ping() -> ();
        Insert insert(token: &StoredToken, limit: Option<u32>, event: &Event) -> ChangeSeq;
        Update update(change: &Change, event: &Event) -> ChangeSeq;
        ReplaceDigest replace_digest(
            id: TokenId, expected: &Digest, secrets: &Secrets, event: &Event
        ) -> ChangeSeq;
        Delete delete(id: TokenId, expected: Option<Revision>, event: &Event) -> ChangeSeq;
        DeleteMany delete_many(owner: Option<&Owner>, ids: &[TokenId], event: &Event) -> Deleted;
        DeleteOwner delete_owner(owner: &Owner, event: &Event) -> BulkResult;
        RevokeOwner revoke_owner(
            owner: &Owner, issued_before: Option<Timestamp>, at: Timestamp, event: &Event
        ) -> BulkResult;
        RevokeEveryone revoke_everyone(
            issued_before: Option<Timestamp>, at: Timestamp, limit: u32, event: &Event
        ) -> BulkResult;
        LogOwnerChange log_owner_change(owner: &Owner, event: &Event) -> ChangeSeq;
        RecordUses record_uses(uses: &[TokenUse]) -> u64;
        Prune prune(ended_before: Timestamp, limit: u32, event: &Event) -> u64;
        PruneLog prune_log(written_before: Timestamp, limit: u32) -> u64;
    }

    async fn get(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        let get = |twist: Twist| async move {
            TokenStore::get(&*self.inner(), twist.instead_of(id)).await
        };
        self.run(Operation::Get, get).await
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
        self.run(Operation::Changes, read).await
    }

    async fn wait_for_change(&self, mut seen: LogPosition) {
        let owes_notification = &self.0.owes_notification;
        loop {
            if !owes_notification.load(Ordering::SeqCst) {
                self.any_notification(seen).await;
                // The notification is kept until it is delivered. So a caller that stops
                // waiting while it is late does not lose it.
                owes_notification.store(true, Ordering::SeqCst);
                self.0.faults.count(Operation::WaitForChange);
            }
            let fault = self.0.faults.next(Operation::WaitForChange).await;
            match fault {
                Some(Fault::Reject(_) | Fault::LoseAnswer) => {
                    owes_notification.store(false, Ordering::SeqCst);
                    // The notification is lost. Waiting with the old position would return at once
                    // with the same notification again.
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
            owes_notification.store(false, Ordering::SeqCst);
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
