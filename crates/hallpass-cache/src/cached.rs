use std::sync::Arc;
use std::time::Duration;

use hallpass_core::__private::{
    Backend, CachedToken, Freshness, HostError, Lookup, OwnerStatusQuery,
};
use hallpass_core::store::{
    ChangeSeq, ChangeTarget, Snapshot, StoreError, StoredToken, TokenStore,
};
use hallpass_core::{Owner, OwnerStatus, TokenId};
use tokio::time::timeout;

use crate::inner::Inner;
use crate::measure::LookupKind;
use crate::settings::{CacheSettings, SettingsError};

/// A store with a cache in front.
///
/// Pass it to `Hallpass::builder`. Checks must run in a tokio runtime with time enabled, because loads
/// and the change feed are tasks of their own.
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
    /// Creates a cache with the default settings.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self::with_settings(store, CacheSettings::default())
    }

    /// Creates a cache with your own settings.
    ///
    /// # Panics
    ///
    /// Panics if a setting is out of range. Use [`try_with_settings`](Self::try_with_settings) for
    /// settings that come from outside the program.
    #[must_use]
    #[track_caller]
    pub fn with_settings(store: S, settings: CacheSettings) -> Self {
        match Self::try_with_settings(store, settings) {
            Ok(cached) => cached,
            Err(error) => panic!("{error}"),
        }
    }

    /// Creates a cache with your own settings.
    ///
    /// # Errors
    ///
    /// Returns [`SettingsError`] if a setting is out of range.
    pub fn try_with_settings(store: S, settings: CacheSettings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self(Arc::new(Inner::new(store, settings))))
    }
}

impl<S: TokenStore> Backend for Cached<S> {
    type Store = S;

    fn store(&self) -> &S {
        &self.0.store
    }

    fn is_cache(&self) -> bool {
        true
    }

    fn peek(&self, id: TokenId) -> Lookup {
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

    async fn load(
        &self,
        id: TokenId,
        freshness: Freshness,
    ) -> Result<Option<Arc<CachedToken>>, StoreError> {
        self.0.is_open()?;
        let deadline = self.0.settings.load_deadline;
        if freshness == Freshness::AfterCall {
            let reload = timeout(deadline, self.0.reload(id));
            return reload.await.map_err(StoreError::unavailable).flatten();
        }
        self.0.ensure_following();
        match self.peek(id) {
            Lookup::Hit(token) => return Ok(Some(token)),
            Lookup::NegativeHit => return Ok(None),
            Lookup::Miss => self.0.measure.nothing_at_hand(|| self.0.remembers(id)),
        }
        let loaded = timeout(deadline, self.0.load(id)).await;
        let loaded = loaded.map_err(StoreError::unavailable).flatten();
        loaded.or_else(|error| self.0.serve_stale(id, error))
    }

    async fn get(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        let (found, reading) = self.0.look(id).await?;
        self.0.keep(id, found.value.clone(), reading);
        Ok(found)
    }

    fn peek_owner_status(&self, owner: &Owner) -> Option<Arc<OwnerStatus>> {
        self.0.standings.at_hand(owner, &self.0.stripes, &self.0.settings)
    }

    async fn load_owner_status(
        &self,
        owner: &Owner,
        query: OwnerStatusQuery,
    ) -> Result<Arc<OwnerStatus>, HostError> {
        self.0.is_open()?;
        self.0.ensure_following();
        if let Some(status) = self.peek_owner_status(owner) {
            return Ok(status);
        }
        let Inner { standings, stripes, settings, .. } = &*self.0;
        timeout(settings.load_deadline, standings.ask(owner, query, stripes, settings)).await?
    }

    fn apply(&self, target: &ChangeTarget, seq: ChangeSeq) {
        self.0.apply_own(target, seq);
    }

    async fn refresh(&self, targets: &[ChangeTarget]) -> Result<(), StoreError> {
        self.0.apply_others(targets).await
    }

    async fn catch_up(&self, seq: ChangeSeq) {
        self.0.catch_up(seq).await;
    }

    fn clock_offset(&self) -> Duration {
        self.0.store_clock.ahead()
    }

    /// Makes cached tokens unusable, stops following the change log, and closes the store.
    async fn close(&self) {
        self.0.close();
        self.0.store.close().await;
    }
}
