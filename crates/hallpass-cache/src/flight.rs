//! Loads: one per token at a time, each a task of its own, and not too many in all.

use std::collections::HashMap;
use std::collections::hash_map::Entry as MapEntry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hallpass_core::TokenId;
use hallpass_core::store::StoreError;
use tokio::sync::watch;

use crate::moment::Moment;

/// What a load found: shared by all who waited for it.
pub(crate) type Landed<T> = Result<T, Trouble>;

/// A load that failed. The store's own error cannot be shared, so its kind and its words are.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    corrupt: bool,
    words: String,
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        let corrupt = error.is_corrupt();
        let words = match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        Self { corrupt, words }
    }
}

impl From<Trouble> for StoreError {
    fn from(trouble: Trouble) -> Self {
        if trouble.corrupt {
            Self::corrupt(trouble.words)
        } else {
            Self::unavailable(trouble.words)
        }
    }
}

#[derive(Debug)]
pub(crate) struct Flights<T> {
    under_way: Mutex<HashMap<TokenId, Flight<T>>>,
    most: usize,
}

#[derive(Debug)]
struct Flight<T> {
    started: Moment,
    landed: watch::Receiver<Option<Landed<T>>>,
}

/// How a caller takes part in a load.
pub(crate) enum Boarded<T> {
    /// Somebody is asking already.
    Follows(watch::Receiver<Option<Landed<T>>>),
    /// The caller has to ask, and to say what was found.
    Leads(Pilot<T>, watch::Receiver<Option<Landed<T>>>),
    /// There are too many loads.
    Full,
}

/// The one who asks. When it is gone, the load is over, whether it was said what was found or not.
#[derive(Debug)]
pub(crate) struct Pilot<T> {
    flights: Arc<Flights<T>>,
    id: TokenId,
    started: Moment,
    landing: watch::Sender<Option<Landed<T>>>,
}

impl<T: Clone> Flights<T> {
    pub(crate) fn new(most: usize) -> Self {
        Self { under_way: Mutex::new(HashMap::new()), most }
    }

    /// Joins the load of this token if there is a young one, or begins one.
    pub(crate) fn board(self: &Arc<Self>, id: TokenId, joinable: Duration) -> Boarded<T> {
        let now = Moment::now();
        let mut under_way = self.lock();
        let count = under_way.len();
        let place = under_way.entry(id);
        if let MapEntry::Occupied(flight) = &place {
            if flight.get().started.age(now) < joinable {
                return Boarded::Follows(flight.get().landed.clone());
            }
        } else if count >= self.most {
            return Boarded::Full;
        }
        // An old load goes on for those who wait for it; newcomers do not rely on it.
        let (landing, landed) = watch::channel(None);
        let flight = Flight { started: now, landed: landed.clone() };
        match place {
            MapEntry::Occupied(mut old) => {
                old.insert(flight);
            }
            MapEntry::Vacant(free) => {
                free.insert(flight);
            }
        }
        Boarded::Leads(Pilot { flights: Arc::clone(self), id, started: now, landing }, landed)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TokenId, Flight<T>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Pilot<T> {
    /// Before the store was asked.
    pub(crate) fn started(&self) -> Moment {
        self.started
    }

    /// Tells everybody who waits. Nobody can join any more by then: whoever comes now finds what was
    /// cached, or, if it was an error, asks anew.
    pub(crate) fn land(self, found: Landed<T>) {
        self.leave();
        self.landing.send_replace(Some(found));
    }

    /// Takes the load off the list, unless a newer one has taken its place.
    fn leave(&self) {
        let mut under_way = self.flights.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let is_this = |flight: &Flight<T>| self.landing.subscribe().same_channel(&flight.landed);
        if under_way.get(&self.id).is_some_and(is_this) {
            under_way.remove(&self.id);
        }
    }
}

impl<T> Drop for Pilot<T> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Waits for a load to land. A pilot that is gone without a word has panicked.
pub(crate) async fn landed<T: Clone>(
    mut landed: watch::Receiver<Option<Landed<T>>>,
) -> Result<T, StoreError> {
    let found = match landed.wait_for(Option::is_some).await {
        Ok(found) => found.clone(),
        Err(_) => None,
    };
    match found {
        Some(found) => found.map_err(Into::into),
        None => Err(StoreError::unavailable("a load of the token ended without an answer")),
    }
}
