//! What owners may do now, as the host said within the bound.

use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use foldhash::quality::RandomState;
use hallpass_core::{Owner, Standing, StandingQuestion};

use crate::flight::{Boarded, Flights, HostError, Landed, Pilot, landed};
use crate::moment::Moment;
use crate::settings::CacheSettings;
use crate::stripes::{OwnerMark, Stripes};

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
    standing: Arc<Standing>,
    mark: OwnerMark,
    asked: Moment,
}

impl Said {
    fn is_usable(&self, stripes: &Stripes, bound: Duration) -> bool {
        self.asked.age(Moment::glance()) <= bound && stripes.mark(&self.owner) == Some(self.mark)
    }
}

impl Standings {
    pub(crate) fn new(settings: &CacheSettings) -> Self {
        Self {
            slots: (0..SLOTS).map(|_| ArcSwapOption::empty()).collect(),
            flights: Arc::new(Flights::new(settings.concurrent_loads)),
            hasher: RandomState::default(),
        }
    }

    pub(crate) fn at_hand(
        &self,
        owner: &Owner,
        stripes: &Stripes,
        bound: Duration,
    ) -> Option<Arc<Standing>> {
        self.said(owner, stripes, bound, |said| Arc::clone(&said.standing))
    }

    fn said<R>(
        &self,
        owner: &Owner,
        stripes: &Stripes,
        bound: Duration,
        make: impl FnOnce(&Arc<Said>) -> R,
    ) -> Option<R> {
        let said = self.slot(owner).load();
        let said = said.as_ref().filter(|said| said.owner == *owner)?;
        said.is_usable(stripes, bound).then(|| make(said))
    }

    /// Asks the host, or waits for who is asking already.
    pub(crate) async fn ask(
        &self,
        owner: &Owner,
        question: StandingQuestion,
        stripes: &Stripes,
        settings: &CacheSettings,
        keep: impl Fn(Arc<Said>) + Clone + Send + 'static,
    ) -> Result<Arc<Standing>, HostError> {
        let mut question = Some(question);
        for _ in 0..ATTEMPTS {
            let landing = match self.flights.board(owner, settings.joinable()) {
                Boarded::Follows(landing) => landing,
                Boarded::Leads(pilot, landing) => {
                    // Another question may have been answered since the slot was looked at.
                    if let Some(said) = self.said(owner, stripes, settings.bound, Arc::clone) {
                        pilot.land(Ok(Arc::clone(&said)));
                        return Ok(Arc::clone(&said.standing));
                    }
                    // One's own question is asked once. If that was in vain, the owner keeps changing.
                    let (Some(question), Some(mark)) = (question.take(), stripes.mark(owner))
                    else {
                        break;
                    };
                    let patience = settings.patience();
                    tokio::spawn(fly(owner.clone(), mark, question, patience, pilot, keep.clone()));
                    landing
                }
                Boarded::Full(_) => {
                    return Err("too many owners are being asked about at once".into());
                }
            };
            let said = landed(landing).await?;
            if said.is_usable(stripes, settings.bound) {
                return Ok(Arc::clone(&said.standing));
            }
        }
        Err("what the owner may do kept changing while it was asked".into())
    }

    pub(crate) fn keep(&self, said: Arc<Said>) {
        self.slot(&said.owner).store(Some(said));
    }

    fn slot(&self, owner: &Owner) -> &ArcSwapOption<Said> {
        &self.slots[self.hasher.hash_one(owner) as usize % SLOTS]
    }
}

/// A task of its own: a client that goes away cancels nobody else.
async fn fly(
    owner: Owner,
    mark: OwnerMark,
    question: StandingQuestion,
    patience: Duration,
    pilot: Pilot<Owner, Arc<Said>>,
    keep: impl Fn(Arc<Said>),
) {
    let asked = pilot.started();
    let answer: Landed<Arc<Said>> = match tokio::time::timeout(patience, question).await {
        Err(late) => Err(HostError::from(late).into()),
        Ok(Err(error)) => Err(error.into()),
        Ok(Ok(standing)) => {
            let said = Arc::new(Said { owner, standing: Arc::new(standing), mark, asked });
            keep(Arc::clone(&said));
            Ok(said)
        }
    };
    pilot.land(answer);
}
