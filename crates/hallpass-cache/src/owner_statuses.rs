//! The statuses of owners, as the host's owner directory reported them.
//!
//! A status is used for at most `max_staleness`. The lease does not extend that time, because the
//! change log does not contain the changes in the host's own tables. When the host reports a change
//! (`owner_changed`), the change is logged for the owner, and every earlier status becomes invalid
//! on every node.

use std::error::Error;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::quality::RandomState;
use hallpass_core::__private::{HostError, OwnerStatusQuery};
use hallpass_core::{Owner, OwnerStatus};
use tokio::time::timeout;

use crate::dual_instant::DualInstant;
use crate::invalidation::{Invalidation, OwnerMark};
use crate::settings::CacheSettings;
use crate::single_flight::SingleFlight;
use crate::sync::ArcSwapOption;

/// The number of slots for owners. If two owners share a slot, the host's directory is queried more
/// often.
const SLOTS: usize = 16_384;

/// The maximum number of attempts, if changes of the owner keep overtaking the query.
const ATTEMPTS: usize = 3;

/// A result of a query, with an error that all waiting callers can share.
type Loaded = Result<Arc<CachedStatus>, Arc<dyn Error + Send + Sync>>;

/// A cache of owner statuses.
#[derive(Debug)]
pub(crate) struct OwnerStatuses {
    slots: Box<[ArcSwapOption<CachedStatus>]>,
    flights: Arc<SingleFlight<Owner, Loaded>>,
    hasher: RandomState,
}

/// A status that the host's directory returned.
#[derive(Debug)]
pub(crate) struct CachedStatus {
    owner: Owner,
    status: Arc<OwnerStatus>,
    /// The owner's mark, taken before the query. If it were taken afterwards, a change could come
    /// in between, and the old status would look as if it were from after the change.
    mark: Option<OwnerMark>,
    asked_at: DualInstant,
}

impl CachedStatus {
    /// Returns whether the status is recent, and no change of the owner was applied since.
    fn is_usable(&self, invalidation: &Invalidation, settings: &CacheSettings) -> bool {
        self.asked_at.age(DualInstant::coarse_now()) <= settings.max_staleness
            && self.mark.is_some()
            && self.mark == invalidation.mark(&self.owner)
    }
}

impl OwnerStatuses {
    pub(crate) fn new(settings: &CacheSettings) -> Self {
        Self {
            slots: (0..SLOTS).map(|_| ArcSwapOption::empty()).collect(),
            flights: Arc::new(SingleFlight::new(settings)),
            hasher: RandomState::default(),
        }
    }

    /// Returns an owner's status if a fresh one is remembered.
    pub(crate) fn peek(
        &self,
        owner: &Owner,
        invalidation: &Invalidation,
        settings: &CacheSettings,
    ) -> Option<Arc<OwnerStatus>> {
        let cached = self.slot(owner).load();
        let cached = cached.as_ref().filter(|cached| cached.owner == *owner)?;
        cached.is_usable(invalidation, settings).then(|| Arc::clone(&cached.status))
    }

    /// Queries the host's directory, or waits for the result if another check is querying it
    /// already.
    ///
    /// # Errors
    ///
    /// Returns the host's error, or an error if too many queries are running or the owner kept
    /// changing.
    pub(crate) async fn load(
        self: &Arc<Self>,
        owner: &Owner,
        query: OwnerStatusQuery,
        invalidation: &Arc<Invalidation>,
        settings: &CacheSettings,
    ) -> Result<Arc<OwnerStatus>, HostError> {
        for _ in 0..ATTEMPTS {
            let (statuses, applied) = (Arc::clone(self), Arc::clone(invalidation));
            let (owner_key, query, limit) = (owner.clone(), query.clone(), settings.load_timeout());
            let load = async move |asked_at| {
                let mark = applied.mark(&owner_key);
                let status = timeout(limit, query.ask()).await.map_err(HostError::from).flatten();
                let status = Arc::new(status?);
                let cached = Arc::new(CachedStatus { owner: owner_key, status, mark, asked_at });
                statuses.slot(&cached.owner).store(Some(Arc::clone(&cached)));
                Ok(cached)
            };
            let cached = self.flights.run(owner, || false, load).await??;
            if cached.is_usable(invalidation, settings) {
                return Ok(Arc::clone(&cached.status));
            }
        }
        Err("the owner kept changing while its status was looked up".into())
    }

    fn slot(&self, owner: &Owner) -> &ArcSwapOption<CachedStatus> {
        &self.slots[self.hasher.hash_one(owner) as usize % SLOTS]
    }
}
