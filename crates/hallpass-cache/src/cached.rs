use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hallpass_core::store::{
    Affected, Bulk, Change, Changes, Deleted, ListPage, ListQuery, Position, Secrets, Seq,
    Snapshot, StoreError, StoredToken, TokenStore, Use,
};
use hallpass_core::{Digest, LoadedToken, Owner, Revision, TokenId};
use jiff::Timestamp;

use crate::entry::{Entry, Reading};
use crate::flight::{Boarded, Flights, Pilot, landed};
use crate::follow::follow;
use crate::moment::{Lease, Moment};
use crate::negative::Negative;
use crate::positive::Positive;
use crate::settings::CacheSettings;
use crate::stripes::Stripes;
use crate::turns::Turns;

/// A store with a cache in front.
///
/// Checks must run in a tokio runtime with time enabled: loads and the change log are tasks of their own.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), hallpass_core::Error> {
/// use hallpass_cache::Cached;
/// use hallpass_core::{Caller, Hallpass, NewToken};
/// use hallpass_memory::MemoryStore;
///
/// let passes = Hallpass::builder(Cached::new(MemoryStore::new())).build();
/// let alice = Caller::owner("alice");
/// let issued = passes.issue(&alice, NewToken::named("ci")).await?;
/// let token = issued.token.reveal().as_bytes();
/// assert!(passes.authenticate(token).await.is_ok());
/// passes.revoke(&alice, issued.record.id).await?;
/// assert!(passes.authenticate(token).await.is_err());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Cached<S>(Arc<Inner<S>>);

#[derive(Debug)]
pub(crate) struct Inner<S> {
    pub(crate) store: S,
    pub(crate) settings: CacheSettings,
    pub(crate) stripes: Stripes,
    pub(crate) lease: Lease,
    positive: Positive,
    negative: Negative,
    flights: Arc<Flights<Option<Arc<Entry>>>>,
    turns: Turns,
    following: AtomicBool,
}

impl<S: TokenStore> Cached<S> {
    /// A cache with the default settings.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self::with(store, CacheSettings::default())
    }

    /// A cache with your own settings.
    #[must_use]
    pub fn with(store: S, settings: CacheSettings) -> Self {
        Self(Arc::new(Inner {
            stripes: Stripes::new(),
            lease: Lease::none(),
            positive: Positive::new(settings.capacity_bytes),
            negative: Negative::new(settings.unknown_tokens),
            flights: Arc::new(Flights::new(settings.concurrent_loads)),
            turns: Turns::new(),
            following: AtomicBool::new(false),
            store,
            settings,
        }))
    }

    /// Starts to follow the change log, once, on the runtime of the caller.
    fn ensure_following(&self) {
        if !self.0.following.load(Ordering::Relaxed)
            && !self.0.following.swap(true, Ordering::Relaxed)
        {
            tokio::spawn(follow(Arc::downgrade(&self.0)));
        }
    }

    /// Applies a change of this node's own before its caller is told that it is done.
    fn applied(
        &self,
        affected: &Affected,
        done: Result<Seq, StoreError>,
    ) -> Result<Seq, StoreError> {
        if let Ok(seq) = done {
            self.apply_own(affected, seq);
        }
        done
    }

    fn applied_bulk(
        &self,
        owner: &Owner,
        done: Result<Bulk, StoreError>,
    ) -> Result<Bulk, StoreError> {
        if let Ok(Bulk { seq: Some(seq), .. }) = done {
            self.apply_own(&Affected::Owner(owner.clone()), seq);
        }
        done
    }

    fn apply_own(&self, affected: &Affected, seq: Seq) {
        if self.0.settings.guards.own_changes {
            self.0.stripes.apply(affected, seq);
        }
    }
}

impl<S: TokenStore> Inner<S> {
    /// The order counts: lease, then entry, then stripes.
    fn usable(&self, id: TokenId) -> Option<Arc<Entry>> {
        let lease = self.lease.get();
        let entry = self.positive.get(id)?;
        entry.is_usable(&self.stripes, lease, &self.settings).then_some(entry)
    }

    fn hit(&self, id: TokenId) -> Option<Arc<LoadedToken>> {
        self.usable(id).map(|entry| Arc::clone(&entry.token))
    }

    fn is_known_absent(&self, id: TokenId) -> bool {
        let lease = self.lease.get();
        self.negative.holds(id, &self.stripes, lease, &self.settings)
    }

    /// Whether what a load found may be used: changes may have been applied while it was under way.
    fn may_use(&self, entry: &Entry) -> bool {
        let lease = self.lease.get();
        entry.is_usable(&self.stripes, lease, &self.settings)
    }

    async fn fly(self: Arc<Self>, id: TokenId, pilot: Pilot<Option<Arc<Entry>>>) {
        let history = self.stripes.history();
        let started = pilot.started();
        // Beyond the bound no answer is of use, and a place that is held for ever is lost to all.
        let patience = self.settings.bound.max(self.settings.load_deadline);
        let found = match tokio::time::timeout(patience, self.store.find(id)).await {
            Err(late) => Err(StoreError::unavailable(late).into()),
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok(Snapshot { value, as_of })) => {
                let reading = Reading { as_of, history, started };
                Ok(self.keep(id, value, reading))
            }
        };
        pilot.land(found);
    }

    /// Asks the store itself. A reading of before is void from here on: what this node has shown, it does
    /// not take back.
    async fn look(
        &self,
        id: TokenId,
    ) -> Result<(Snapshot<Option<StoredToken>>, Reading), StoreError> {
        let (history, started) = (self.stripes.history(), Moment::now());
        let found = self.store.find(id).await?;
        if self.settings.guards.shown_is_known && self.stripes.history() == history {
            self.stripes.apply(&Affected::Token(id), found.as_of);
        }
        let reading = Reading { as_of: found.as_of, history, started };
        Ok((found, reading))
    }

    /// Caches what was read. Whether it is usable is decided at each use, so nothing can come too late.
    fn keep(&self, id: TokenId, read: Option<StoredToken>, reading: Reading) -> Option<Arc<Entry>> {
        let Some(stored) = read else {
            self.negative.put(id, reading);
            return None;
        };
        let footing = self.stripes.footing(id, &stored.record.owner);
        let entry = Arc::new(Entry { token: Arc::new(LoadedToken::new(stored)), reading, footing });
        // Another token's record is for the check to refuse, not for the cache to keep.
        if entry.token.record().id == id {
            self.positive.put(&entry);
        }
        Some(entry)
    }
}

/// How often a load is repeated when changes keep overtaking it.
const ATTEMPTS: usize = 3;

impl<S: TokenStore> TokenStore for Cached<S> {
    fn cached(&self, id: TokenId) -> Option<Arc<LoadedToken>> {
        self.0.hit(id)
    }

    async fn load(&self, id: TokenId) -> Result<Option<Arc<LoadedToken>>, StoreError> {
        self.ensure_following();
        if let Some(token) = self.0.hit(id) {
            return Ok(Some(token));
        }
        if self.0.is_known_absent(id) {
            return Ok(None);
        }
        let settings = &self.0.settings;
        let joinable = settings.bound.min(std::time::Duration::from_millis(500));
        let attempts = async {
            for _ in 0..ATTEMPTS {
                let landing = match self.0.flights.board(id, joinable) {
                    Boarded::Follows(landing) => landing,
                    // A load may have landed since the caches were looked at: then they know by now.
                    Boarded::Leads(pilot, _) if self.0.is_known_absent(id) => {
                        pilot.land(Ok(None));
                        return Ok(None);
                    }
                    Boarded::Leads(pilot, landing) => {
                        if let Some(entry) = self.0.usable(id) {
                            pilot.land(Ok(Some(Arc::clone(&entry))));
                            return Ok(Some(Arc::clone(&entry.token)));
                        }
                        let flight = Arc::clone(&self.0).fly(id, pilot);
                        if settings.guards.detached_loads {
                            // A task of its own: a client that goes away cancels nobody else.
                            tokio::spawn(flight);
                        } else {
                            flight.await;
                        }
                        landing
                    }
                    Boarded::Full => {
                        return Err(StoreError::unavailable(
                            "too many tokens are being loaded at once",
                        ));
                    }
                };
                match landed(landing).await? {
                    None => return Ok(None),
                    Some(entry) if self.0.may_use(&entry) => {
                        return Ok(Some(Arc::clone(&entry.token)));
                    }
                    Some(_) => {}
                }
            }
            Err(StoreError::unavailable("the token kept changing while it was loaded"))
        };
        match tokio::time::timeout(settings.load_deadline, attempts).await {
            Ok(loaded) => loaded,
            Err(late) => Err(StoreError::unavailable(late)),
        }
    }

    async fn find(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        let (found, reading) = self.0.look(id).await?;
        self.0.keep(id, found.value.clone(), reading);
        Ok(found)
    }

    fn is_cache(&self) -> bool {
        true
    }

    async fn reload(&self, id: TokenId) -> Result<Option<Arc<LoadedToken>>, StoreError> {
        let called = Moment::now();
        let read = async {
            // One at a time asks; who waited meanwhile finds what was read after they came.
            let _turn = self.0.turns.of(id).lock().await;
            if let Some(entry) = self.0.usable(id)
                && !entry.reading.started.is_before(called)
            {
                return Ok(Some(Arc::clone(&entry.token)));
            }
            let (found, reading) = self.0.look(id).await?;
            let entry = self.0.keep(id, found.value, reading);
            Ok(entry.map(|entry| Arc::clone(&entry.token)))
        };
        match tokio::time::timeout(self.0.settings.load_deadline, read).await {
            Ok(read) => read,
            Err(late) => Err(StoreError::unavailable(late)),
        }
    }

    async fn insert(&self, token: &StoredToken, limit: Option<u32>) -> Result<Seq, StoreError> {
        self.applied(&Affected::Token(token.record.id), self.0.store.insert(token, limit).await)
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        self.0.store.list(query).await
    }

    async fn change(&self, change: &Change) -> Result<Seq, StoreError> {
        self.applied(&Affected::Token(change.record.id), self.0.store.change(change).await)
    }

    async fn rekey(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
    ) -> Result<Seq, StoreError> {
        self.applied(&Affected::Token(id), self.0.store.rekey(id, expected, secrets).await)
    }

    async fn delete(&self, id: TokenId, expected: Option<Revision>) -> Result<Seq, StoreError> {
        self.applied(&Affected::Token(id), self.0.store.delete(id, expected).await)
    }

    async fn delete_many(
        &self,
        owner: Option<&Owner>,
        ids: &[TokenId],
    ) -> Result<Deleted, StoreError> {
        let deleted = self.0.store.delete_many(owner, ids).await?;
        if let Some(seq) = deleted.seq {
            for (id, _) in &deleted.tokens {
                // The last number of them all: higher than needed for most, which costs a reload.
                self.apply_own(&Affected::Token(*id), seq);
            }
        }
        Ok(deleted)
    }

    async fn delete_owner(&self, owner: &Owner) -> Result<Bulk, StoreError> {
        self.applied_bulk(owner, self.0.store.delete_owner(owner).await)
    }

    async fn revoke_owner(&self, owner: &Owner, at: Timestamp) -> Result<Bulk, StoreError> {
        self.applied_bulk(owner, self.0.store.revoke_owner(owner, at).await)
    }

    async fn announce(&self, owner: &Owner) -> Result<Seq, StoreError> {
        self.applied(&Affected::Owner(owner.clone()), self.0.store.announce(owner).await)
    }

    async fn touch(&self, uses: &[Use]) -> Result<u64, StoreError> {
        self.0.store.touch(uses).await
    }

    async fn prune(&self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.0.store.prune(ended_before, limit).await
    }

    async fn changes(&self, from: Option<Position>, limit: u32) -> Result<Changes, StoreError> {
        self.0.store.changes(from, limit).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.0.store.ping().await
    }
}
