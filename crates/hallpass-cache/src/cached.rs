use std::sync::Arc;
use std::time::Duration;

use hallpass_core::store::{
    BulkResult, Change, ChangeBatch, ChangeSeq, ChangeTarget, Deleted, ListPage, ListQuery,
    LogPosition, Lookup, Secrets, Snapshot, StoreError, StoredToken, TokenStore, TokenUse,
};
use hallpass_core::{CachedToken, Digest, Owner, OwnerStatus, OwnerStatusQuery, Revision, TokenId};
use jiff::Timestamp;
use tokio::time::timeout;

use crate::inner::{self, Inner};
use crate::measure::LookupKind;
use crate::settings::CacheSettings;

/// A store with a cache in front.
///
/// Checks must run in a tokio runtime with time enabled: loads and the change log are tasks of their own.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), hallpass_core::Error> {
/// use hallpass_cache::Cached;
/// use hallpass_core::{Actor, Hallpass, NewToken};
/// use hallpass_memory::MemoryStore;
///
/// let hallpass = Hallpass::builder(Cached::new(MemoryStore::new())).build();
/// let alice = Actor::owner("alice");
/// let issued = hallpass.issue(&alice, NewToken::named("ci")).await?;
/// let token = issued.token.reveal().as_bytes();
/// assert!(hallpass.authenticate(token).await.is_ok());
/// hallpass.revoke(&alice, issued.record.id).await?;
/// assert!(hallpass.authenticate(token).await.is_err());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Cached<S>(pub(crate) Arc<Inner<S>>);

impl<S: TokenStore> Cached<S> {
    /// A cache with the default settings.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self::with(store, CacheSettings::default())
    }

    /// A cache with your own settings.
    #[must_use]
    pub fn with(store: S, settings: CacheSettings) -> Self {
        Self(Arc::new(Inner::new(store, settings)))
    }

    /// Applies a change of this node's own before its caller is told that it is done.
    fn applied(
        &self,
        affected: &ChangeTarget,
        done: Result<ChangeSeq, StoreError>,
    ) -> Result<ChangeSeq, StoreError> {
        if let Ok(seq) = done {
            self.0.apply_own(affected, seq);
        }
        done
    }

    /// The same for a change to an owner's tokens.
    async fn applied_bulk(
        &self,
        owner: &Owner,
        bulk: BulkResult,
    ) -> Result<BulkResult, StoreError> {
        match bulk.seq {
            Some(seq) => self.0.apply_own(&ChangeTarget::Owner(owner.clone()), seq),
            None => self.0.apply_others(inner::owner(owner)).await?,
        }
        Ok(bulk)
    }
}

impl<S: TokenStore> TokenStore for Cached<S> {
    fn is_cache(&self) -> bool {
        true
    }

    fn cached(&self, id: TokenId) -> Lookup {
        if let Some(entry) = self.0.usable(id) {
            self.0.measure.looked_up(LookupKind::Hit);
            Lookup::Hit(entry.into_token())
        } else if self.0.is_known_absent(id) {
            self.0.measure.looked_up(LookupKind::Absent);
            Lookup::NegativeHit
        } else {
            // Counted by the load that follows.
            Lookup::Miss
        }
    }

    async fn load(&self, id: TokenId) -> Result<Option<Arc<CachedToken>>, StoreError> {
        self.0.is_open()?;
        self.0.ensure_following();
        match self.cached(id) {
            Lookup::Hit(token) => return Ok(Some(token)),
            Lookup::NegativeHit => return Ok(None),
            Lookup::Miss => self.0.measure.nothing_at_hand(|| self.0.remembers(id)),
        }
        let loaded = timeout(self.0.settings.load_deadline, self.0.load(id)).await;
        let loaded = loaded.map_err(StoreError::unavailable).flatten();
        loaded.or_else(|error| self.0.in_grace(id, error))
    }

    async fn reload(&self, id: TokenId) -> Result<Option<Arc<CachedToken>>, StoreError> {
        self.0.is_open()?;
        match timeout(self.0.settings.load_deadline, self.0.reload(id)).await {
            Ok(read) => read,
            Err(late) => Err(StoreError::unavailable(late)),
        }
    }

    async fn find(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        let (found, reading) = self.0.look(id).await?;
        self.0.keep(id, found.value.clone(), reading);
        Ok(found)
    }

    fn cached_standing(&self, owner: &Owner) -> Option<Arc<OwnerStatus>> {
        self.0.standings.at_hand(owner, &self.0.stripes, &self.0.settings)
    }

    async fn standing(
        &self,
        owner: &Owner,
        question: OwnerStatusQuery,
    ) -> Result<Arc<OwnerStatus>, Box<dyn std::error::Error + Send + Sync>> {
        self.0.is_open()?;
        self.0.ensure_following();
        if let Some(standing) = self.cached_standing(owner) {
            return Ok(standing);
        }
        let Inner { standings, stripes, settings, .. } = &*self.0;
        timeout(settings.load_deadline, standings.ask(owner, question, stripes, settings)).await?
    }

    async fn insert(
        &self,
        token: &StoredToken,
        limit: Option<u32>,
    ) -> Result<ChangeSeq, StoreError> {
        self.applied(&ChangeTarget::Token(token.record.id), self.0.store.insert(token, limit).await)
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        self.0.store.list(query).await
    }

    async fn change(&self, change: &Change) -> Result<ChangeSeq, StoreError> {
        self.applied(&ChangeTarget::Token(change.record.id), self.0.store.change(change).await)
    }

    async fn rekey(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
    ) -> Result<ChangeSeq, StoreError> {
        self.applied(&ChangeTarget::Token(id), self.0.store.rekey(id, expected, secrets).await)
    }

    async fn delete(
        &self,
        id: TokenId,
        expected: Option<Revision>,
    ) -> Result<ChangeSeq, StoreError> {
        self.applied(&ChangeTarget::Token(id), self.0.store.delete(id, expected).await)
    }

    async fn delete_many(
        &self,
        owner: Option<&Owner>,
        ids: &[TokenId],
    ) -> Result<Deleted, StoreError> {
        let deleted = self.0.store.delete_many(owner, ids).await?;
        match deleted.seq {
            // To those too that were gone already. For most the number is higher than needed, which costs a reload.
            Some(seq) => inner::tokens(ids).for_each(|token| self.0.apply_own(&token, seq)),
            None => self.0.apply_others(inner::tokens(ids)).await?,
        }
        Ok(deleted)
    }

    async fn delete_owner(&self, owner: &Owner) -> Result<BulkResult, StoreError> {
        self.applied_bulk(owner, self.0.store.delete_owner(owner).await?).await
    }

    async fn revoke_owner(&self, owner: &Owner, at: Timestamp) -> Result<BulkResult, StoreError> {
        self.applied_bulk(owner, self.0.store.revoke_owner(owner, at).await?).await
    }

    async fn announce(&self, owner: &Owner) -> Result<ChangeSeq, StoreError> {
        self.applied(&ChangeTarget::Owner(owner.clone()), self.0.store.announce(owner).await)
    }

    async fn touch(&self, uses: &[TokenUse]) -> Result<u64, StoreError> {
        self.0.store.touch(uses).await
    }

    async fn prune(&self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.0.store.prune(ended_before, limit).await
    }

    async fn changes(
        &self,
        from: Option<LogPosition>,
        limit: u32,
    ) -> Result<ChangeBatch, StoreError> {
        self.0.store.changes(from, limit).await
    }

    fn clock_behind(&self) -> Duration {
        self.0.store_clock.ahead()
    }

    async fn nudged(&self, seen: LogPosition) {
        self.0.store.nudged(seen).await;
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.0.store.ping().await
    }

    /// Cached tokens are of no use from here on, and nothing follows the change log.
    async fn close(&self) {
        self.0.close();
        self.0.store.close().await;
    }
}
