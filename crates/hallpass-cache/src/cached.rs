//! [`Cached`]: a store with a cache in front, as the handle uses it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hallpass_core::__private::{
    Backend, CachedToken, Freshness, HostError, Lookup, OwnerStatusQuery,
};
use hallpass_core::store::{
    ChangeSeq, ChangeTarget, LogPosition, Snapshot, StoreError, StoredToken, TokenStore,
};
use hallpass_core::{Owner, OwnerStatus, TokenId};
use tokio::time::timeout;

use crate::change_feed;
use crate::inner::Inner;
use crate::metrics::LookupResult;
use crate::settings::{CacheSettings, CacheSettingsError};

/// A store with a cache in front of it.
///
/// Pass it to [`Hallpass::builder`](hallpass_core::Hallpass::builder) in place of the store. All
/// clones of the handle share one cache.
///
/// Checks must run in a tokio runtime with time enabled, because loads and the follower of the
/// change log run in their own tasks.
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
pub struct Cached<S>(Arc<Inner<S>>);

impl<S: TokenStore> Cached<S> {
    /// Creates a cache with the default settings.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self::with_settings(store, CacheSettings::default())
    }

    /// Creates a cache with other settings.
    ///
    /// # Panics
    ///
    /// Panics if a setting is outside its bounds. If settings come from outside the program, use
    /// [`try_with_settings`](Self::try_with_settings).
    #[must_use]
    #[track_caller]
    pub fn with_settings(store: S, settings: CacheSettings) -> Self {
        match Self::try_with_settings(store, settings) {
            Ok(cached) => cached,
            Err(error) => panic!("{error}"),
        }
    }

    /// Creates a cache with other settings.
    ///
    /// ```
    /// use std::time::Duration;
    /// use hallpass_cache::{CacheSettings, Cached};
    /// use hallpass_memory::MemoryStore;
    ///
    /// let settings = CacheSettings::default().poll(Duration::ZERO);
    /// let error = Cached::try_with_settings(MemoryStore::new(), settings).unwrap_err();
    /// assert_eq!(error.to_string(), "invalid cache setting `poll`: 0ns is not between 1ms and 3600s");
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`CacheSettingsError`] if a setting is outside its bounds.
    pub fn try_with_settings(
        store: S,
        settings: CacheSettings,
    ) -> Result<Self, CacheSettingsError> {
        settings.check()?;
        Ok(Self(Arc::new(Inner::new(store, settings))))
    }
}

/// Ends the follower. Its task holds the store, and would never end by itself.
impl<S> Drop for Cached<S> {
    fn drop(&mut self) {
        self.0.closing.send_replace(true);
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
            self.0.metrics.count_lookup(LookupResult::Hit);
            Lookup::Hit(entry.into_token())
        } else if self.0.absence(id).is_some() {
            self.0.metrics.count_lookup(LookupResult::Absent);
            Lookup::NegativeHit
        } else {
            // The load that follows counts the miss.
            Lookup::Miss
        }
    }

    async fn load(
        &self,
        id: TokenId,
        freshness: Freshness,
    ) -> Result<Option<Arc<CachedToken>>, StoreError> {
        let cache = &self.0;
        cache.check_open()?;
        change_feed::ensure_running(cache);
        let deadline = cache.settings.load_deadline;
        if freshness == Freshness::AfterCall {
            let reloaded = timeout(deadline, cache.reload(id)).await;
            return reloaded.map_err(StoreError::unavailable)?;
        }
        match self.peek(id) {
            Lookup::Hit(token) => return Ok(Some(token)),
            Lookup::NegativeHit => return Ok(None),
            Lookup::Miss => cache.metrics.count_miss(|| cache.contains(id)),
        }
        let loaded = timeout(deadline, cache.load(id)).await;
        let loaded = loaded.map_err(StoreError::unavailable).flatten();
        loaded.or_else(|error| cache.serve_stale(id, error))
    }

    async fn get(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        let (found, reading) = self.0.read(id).await?;
        self.0.keep(id, found.value.clone(), reading);
        Ok(found)
    }

    fn peek_owner_status(&self, owner: &Owner) -> Option<Arc<OwnerStatus>> {
        self.0.owner_statuses.peek(owner, &self.0.invalidation, &self.0.settings)
    }

    async fn load_owner_status(
        &self,
        owner: &Owner,
        query: OwnerStatusQuery,
    ) -> Result<Arc<OwnerStatus>, HostError> {
        self.0.check_open()?;
        change_feed::ensure_running(&self.0);
        if let Some(status) = self.peek_owner_status(owner) {
            return Ok(status);
        }
        let Inner { owner_statuses, invalidation, settings, .. } = &*self.0;
        let load = owner_statuses.load(owner, query, invalidation, settings);
        timeout(settings.load_deadline, load).await?
    }

    /// The handle calls this after the commit and before it returns to the caller, so that this
    /// node never accepts a token that it has revoked.
    fn apply(&self, target: &ChangeTarget, seq: ChangeSeq) {
        self.0.apply(target, seq);
    }

    async fn refresh(&self, targets: &[ChangeTarget]) -> Result<(), StoreError> {
        let cache = &self.0;
        let highest_before = cache.highest_seq();
        let head = cache.store.changes(None, 0).await?.head.seq;
        cache.check_history(highest_before, head.next());
        targets.iter().for_each(|target| cache.apply(target, head));
        Ok(())
    }

    fn highest_seq(&self) -> ChangeSeq {
        self.0.highest_seq()
    }

    fn check_history(&self, highest_before: ChangeSeq, next: ChangeSeq) {
        self.0.check_history(highest_before, next);
    }

    /// Waits until the follower has applied `seq`. If that takes too long, invalidates all records
    /// that were read before `seq`. That has the same effect, but causes reloads.
    async fn catch_up(&self, seq: ChangeSeq) {
        let cache = &self.0;
        let mut position = cache.position.subscribe();
        let is_applied =
            |position: &Option<LogPosition>| position.is_some_and(|position| position.seq >= seq);
        if is_applied(&position.borrow()) {
            return;
        }
        if cache.is_following.load(Ordering::Acquire) {
            cache.wake_follower.notify_one();
            let deadline = cache.settings.load_deadline;
            if let Ok(Ok(_)) = timeout(deadline, position.wait_for(is_applied)).await {
                return;
            }
        }
        cache.apply(&ChangeTarget::All, seq);
    }

    fn clock_offset(&self) -> Duration {
        self.0.store_clock.ahead()
    }

    /// Invalidates all cached tokens and stops the follower. Without the follower, nothing would
    /// keep the tokens fresh.
    async fn close(&self) {
        self.0.closing.send_replace(true);
        self.0.invalidate_all();
        self.0.store.close().await;
    }
}

#[cfg(test)]
mod tests {
    use hallpass_memory::MemoryStore;

    use super::*;

    #[tokio::test]
    async fn dropped_cache_ends_its_follower_at_once() {
        let settings = CacheSettings::default().poll(Duration::from_secs(3600));
        let cache = Cached::with_settings(MemoryStore::new(), settings);
        change_feed::ensure_running(&cache.0);
        let mut position = cache.0.position.subscribe();
        position.wait_for(Option::is_some).await.unwrap();
        let inner = Arc::downgrade(&cache.0);
        drop(cache);
        let ends = async {
            while inner.strong_count() > 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(5), ends).await.expect("the follower keeps the store");
    }
}
