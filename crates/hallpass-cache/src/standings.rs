//! What owners may do now, as the host said within the bound.

use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::time::Duration;

use foldhash::quality::RandomState;
use hallpass_core::__private::OwnerStatusQuery;
use hallpass_core::{Owner, OwnerStatus};
use tokio::time::timeout;

use crate::flight::{Boarded, Flights, HostError, Landed, Pilot, landed};
use crate::moment::Moment;
use crate::settings::CacheSettings;
use crate::stripes::{OwnerMark, Stripes};
use crate::sync::ArcSwapOption;

/// How many owners are remembered. Two on one slot cost a question now and then.
const SLOTS: usize = 16_384;

/// How often the host is asked again when changes of the owner keep overtaking it.
const ATTEMPTS: usize = 3;

#[derive(Debug)]
pub(crate) struct Standings {
    slots: Box<[ArcSwapOption<Said>]>,
    flights: Arc<Flights<Owner, Arc<Said>>>,
    hasher: RandomState,
}

/// What the host said of an owner, and when. No lease prolongs it: nobody logs what happens in the host's own tables.
#[derive(Debug)]
pub(crate) struct Said {
    owner: Owner,
    standing: Arc<OwnerStatus>,
    mark: Option<OwnerMark>,
    asked: Moment,
}

impl Said {
    fn is_usable(&self, stripes: &Stripes, settings: &CacheSettings) -> bool {
        let guards = settings.guards;
        let is_fresh = || self.asked.age(Moment::glance()) <= settings.max_staleness;
        let is_unchanged = || self.mark.is_some() && self.mark == stripes.mark(&self.owner);
        (is_fresh() || !guards.freshness()) && (is_unchanged() || !guards.standing_mark())
    }
}

impl Standings {
    pub(crate) fn new(settings: &CacheSettings) -> Self {
        Self {
            slots: (0..SLOTS).map(|_| ArcSwapOption::empty()).collect(),
            flights: Arc::new(Flights::new(settings)),
            hasher: RandomState::default(),
        }
    }

    pub(crate) fn at_hand(
        &self,
        owner: &Owner,
        stripes: &Stripes,
        settings: &CacheSettings,
    ) -> Option<Arc<OwnerStatus>> {
        self.said(owner, stripes, settings, |said| Arc::clone(&said.standing))
    }

    fn said<R>(
        &self,
        owner: &Owner,
        stripes: &Stripes,
        settings: &CacheSettings,
        make: impl FnOnce(&Arc<Said>) -> R,
    ) -> Option<R> {
        let said = self.slot(owner).load();
        let said = said.as_ref().filter(|said| said.owner == *owner)?;
        said.is_usable(stripes, settings).then(|| make(said))
    }

    /// Asks the host, or waits for who is asking already.
    pub(crate) async fn ask(
        self: &Arc<Self>,
        owner: &Owner,
        question: OwnerStatusQuery,
        stripes: &Stripes,
        settings: &CacheSettings,
    ) -> Result<Arc<OwnerStatus>, HostError> {
        if !settings.guards.standing_flight() {
            return question.ask().await.map(Arc::new);
        }
        for _ in 0..ATTEMPTS {
            let landing = match self.flights.board(owner) {
                Boarded::Follows(landing) => landing,
                Boarded::Leads(pilot, landing) => {
                    // Another question may have been answered since the slot was looked at.
                    if let Some(said) = self.said(owner, stripes, settings, Arc::clone) {
                        pilot.land(Ok(Arc::clone(&said)));
                        return Ok(Arc::clone(&said.standing));
                    }
                    let (owner, mark) = (owner.clone(), stripes.mark(owner));
                    let (question, patience) = (question.clone(), settings.patience());
                    // A task of its own: a client that goes away cancels nobody else.
                    tokio::spawn(Arc::clone(self).fly(owner, mark, question, patience, pilot));
                    landing
                }
                Boarded::Full => {
                    return Err("too many owners are being asked about at once".into());
                }
            };
            let said = landed(landing).await?;
            if said.is_usable(stripes, settings) {
                return Ok(Arc::clone(&said.standing));
            }
        }
        Err("what the owner may do kept changing while it was asked".into())
    }

    async fn fly(
        self: Arc<Self>,
        owner: Owner,
        mark: Option<OwnerMark>,
        question: OwnerStatusQuery,
        patience: Duration,
        pilot: Pilot<Owner, Arc<Said>>,
    ) {
        let asked = pilot.started();
        let answer: Landed<Arc<Said>> = match timeout(patience, question.ask()).await {
            Err(late) => Err(HostError::from(late).into()),
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok(standing)) => {
                let said = Arc::new(Said { owner, standing: Arc::new(standing), mark, asked });
                self.slot(&said.owner).store(Some(Arc::clone(&said)));
                Ok(said)
            }
        };
        pilot.land(answer);
    }

    fn slot(&self, owner: &Owner) -> &ArcSwapOption<Said> {
        &self.slots[self.hasher.hash_one(owner) as usize % SLOTS]
    }
}
