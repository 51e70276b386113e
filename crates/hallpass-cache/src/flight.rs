//! Loads: one per key at a time, each a task of its own, and not too many in all.

use std::collections::HashMap;
use std::collections::hash_map::Entry as MapEntry;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hallpass_core::store::StoreError;
use tokio::sync::watch;

use crate::moment::Moment;
use crate::settings::CacheSettings;

/// What the host answers who cannot say what an owner may do.
pub(crate) type HostError = Box<dyn std::error::Error + Send + Sync>;

/// What a load found: shared by all who waited for it.
pub(crate) type Landed<T> = Result<T, Trouble>;

/// A load that failed. The store's own error cannot be shared, so its kind and its words are.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    corrupt: bool,
    words: String,
}

/// What the host's own word on an owner could not be had for.
impl From<HostError> for Trouble {
    fn from(error: HostError) -> Self {
        Self { corrupt: false, words: error.to_string() }
    }
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

impl From<Trouble> for HostError {
    fn from(trouble: Trouble) -> Self {
        trouble.words.into()
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
pub(crate) struct Flights<K, T> {
    under_way: Mutex<HashMap<K, Flight<T>>>,
    most: usize,
    joinable: Duration,
}

#[derive(Debug)]
struct Flight<T> {
    started: Moment,
    landed: watch::Receiver<Option<Landed<T>>>,
}

/// How a caller takes part in a load.
pub(crate) enum Boarded<K: Hash + Eq, T> {
    /// Somebody is asking already.
    Follows(watch::Receiver<Option<Landed<T>>>),
    /// The caller has to ask, and to say what was found.
    Leads(Pilot<K, T>, watch::Receiver<Option<Landed<T>>>),
    /// Too many loads are under way or waiting.
    Full,
}

/// The one who asks. When it is gone, the load is over, whether it was said what was found or not.
#[derive(Debug)]
pub(crate) struct Pilot<K: Hash + Eq, T> {
    flights: Arc<Flights<K, T>>,
    key: K,
    started: Moment,
    landing: watch::Sender<Option<Landed<T>>>,
}

impl<K: Hash + Eq + Clone, T: Clone> Flights<K, T> {
    pub(crate) fn new(settings: &CacheSettings) -> Self {
        let guards = settings.guards;
        Self {
            under_way: Mutex::new(HashMap::new()),
            most: if guards.bounded_loads() {
                settings.concurrent_loads.saturating_add(settings.queued_loads)
            } else {
                usize::MAX
            },
            joinable: if guards.young_loads() { settings.joinable() } else { Duration::MAX },
        }
    }

    /// Joins the load of this key if there is a young one, or begins one.
    pub(crate) fn board(self: &Arc<Self>, key: &K) -> Boarded<K, T> {
        let now = Moment::now();
        let mut under_way = self.lock();
        let count = under_way.len();
        let place = under_way.entry(key.clone());
        if let MapEntry::Occupied(flight) = &place {
            if flight.get().started.age(now) < self.joinable {
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
        Boarded::Leads(
            Pilot { flights: Arc::clone(self), key: key.clone(), started: now, landing },
            landed,
        )
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Flight<T>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq, T> Pilot<K, T> {
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
        if under_way.get(&self.key).is_some_and(is_this) {
            under_way.remove(&self.key);
        }
    }
}

impl<K: Hash + Eq, T> Drop for Pilot<K, T> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Waits for a load to land. A pilot that is gone without a word has panicked.
pub(crate) async fn landed<T: Clone>(mut landed: watch::Receiver<Option<Landed<T>>>) -> Landed<T> {
    let found = match landed.wait_for(Option::is_some).await {
        Ok(found) => found.clone(),
        Err(_) => None,
    };
    found.unwrap_or_else(|| {
        Err(Trouble { corrupt: false, words: "a load ended without an answer".to_owned() })
    })
}
