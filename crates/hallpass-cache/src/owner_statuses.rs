//! The status of owners, as the host's owner directory reported it.
//!
//! An owner's status is a question to the host, not a row of the store. No lease prolongs an
//! answer, because the change log does not report what happens in the host's own tables: an answer
//! is used for `max_staleness` and no longer. When the host reports a change (`owner_changed`), the
//! owner's stripe moves, and every answer from before is void on every node.

use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::time::Duration;

use foldhash::quality::RandomState;
use hallpass_core::__private::{HostError, OwnerStatusQuery};
use hallpass_core::{Owner, OwnerStatus};
use tokio::time::timeout;

use crate::dual_instant::DualInstant;
use crate::invalidation::{Invalidation, OwnerMark};
use crate::settings::CacheSettings;
use crate::single_flight::{Join, Leader, LoadResult, SingleFlight, result};
use crate::sync::ArcSwapOption;

/// The number of remembered owners. Two owners on one slot cost a question now and then.
const SLOTS: usize = 16_384;

/// How often the host is asked again when changes of the owner keep overtaking the answer.
const ATTEMPTS: usize = 3;

#[derive(Debug)]
pub(crate) struct OwnerStatuses {
    slots: Box<[ArcSwapOption<Answer>]>,
    flights: Arc<SingleFlight<Owner, Arc<Answer>>>,
    hasher: RandomState,
}

/// An answer of the host.
#[derive(Debug)]
pub(crate) struct Answer {
    owner: Owner,
    status: Arc<OwnerStatus>,
    /// What had been applied to the owner before the host was asked. Taken after the answer, it
    /// would make an answer from before a change look like one from after it.
    mark: Option<OwnerMark>,
    asked_at: DualInstant,
}

impl Answer {
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

    /// Returns an owner's status if a fresh answer is remembered.
    pub(crate) fn peek(
        &self,
        owner: &Owner,
        invalidation: &Invalidation,
        settings: &CacheSettings,
    ) -> Option<Arc<OwnerStatus>> {
        let answer = self.slot(owner).load();
        let answer = answer.as_ref().filter(|answer| answer.owner == *owner)?;
        answer.is_usable(invalidation, settings).then(|| Arc::clone(&answer.status))
    }

    /// Asks the host, or waits for the answer if somebody is asking already.
    ///
    /// # Errors
    ///
    /// Returns the host's error, and an error if too many owners are being asked about.
    pub(crate) async fn load(
        self: &Arc<Self>,
        owner: &Owner,
        query: OwnerStatusQuery,
        invalidation: &Arc<Invalidation>,
        settings: &CacheSettings,
    ) -> Result<Arc<OwnerStatus>, HostError> {
        for _ in 0..ATTEMPTS {
            let receiver = match self.flights.join(owner, || false) {
                Join::Wait(receiver) => receiver,
                Join::Lead(leader, receiver) => {
                    let load = Arc::clone(self).run_load(
                        owner.clone(),
                        Arc::clone(invalidation),
                        query.clone(),
                        settings.load_timeout(),
                        leader,
                    );
                    // A task of its own: a client that goes away cancels nobody else.
                    tokio::spawn(load);
                    receiver
                }
                Join::Full => return Err("too many owners are being asked about at once".into()),
            };
            let answer = result(receiver).await?;
            if answer.is_usable(invalidation, settings) {
                return Ok(Arc::clone(&answer.status));
            }
        }
        Err("the owner kept changing while the host was asked about it".into())
    }

    async fn run_load(
        self: Arc<Self>,
        owner: Owner,
        invalidation: Arc<Invalidation>,
        query: OwnerStatusQuery,
        limit: Duration,
        leader: Leader<Owner, Arc<Answer>>,
    ) {
        let answer = self.ask(owner, &invalidation, query, limit, &leader).await;
        leader.complete(answer);
    }

    async fn ask(
        &self,
        owner: Owner,
        invalidation: &Invalidation,
        query: OwnerStatusQuery,
        limit: Duration,
        leader: &Leader<Owner, Arc<Answer>>,
    ) -> LoadResult<Arc<Answer>> {
        let (asked_at, _permit) = leader.begin().await?;
        let mark = invalidation.mark(&owner);
        let status = match timeout(limit, query.ask()).await {
            Err(late) => return Err(HostError::from(late).into()),
            Ok(status) => Arc::new(status?),
        };
        let answer = Arc::new(Answer { owner, status, mark, asked_at });
        self.slot(&answer.owner).store(Some(Arc::clone(&answer)));
        Ok(answer)
    }

    fn slot(&self, owner: &Owner) -> &ArcSwapOption<Answer> {
        &self.slots[self.hasher.hash_one(owner) as usize % SLOTS]
    }
}
