//! Loads: one per key at a time, each in a task of its own, and a limited number in all.
//!
//! A load goes through three stages. [`SingleFlight::join`] enters it into a table, so that
//! everybody who needs the same key waits for this load. [`Leader::begin`] waits for one of the
//! permits; tokio's semaphore hands them out in the order of arrival. Then the store is asked, and
//! [`Leader::complete`] takes the load off the table and tells everybody.
//!
//! **Why a queue.** Anybody can make up well-formed tokens, and each of them has to be looked up.
//! If loads beyond the limit were refused at once, a flood of made-up tokens would win almost every
//! permit, and valid tokens that are not cached would be refused. In a first-come queue, a flood
//! from `n` connections is at most `n` places long, because each connection waits for its answer
//! before it sends the next request. A load is one read by primary key: with 64 at a time and 1 ms
//! each, 400 places are served in about 7 ms. So everybody is served, and nobody needs to be told
//! apart.
//!
//! **Invariants.**
//!
//! - A caller that goes away cancels nobody else: the load runs in a task of its own.
//! - A load can be joined while it waits for its permit, and for a short time after it has begun. A
//!   question that the store has lost holds up only those who came within that time.
//! - A load leaves the table *before* its result is told. Otherwise a caller could join a load that
//!   has failed already, and an error would be served to somebody who came after it.
//! - Errors are told to those who wait, and never cached.

use std::collections::HashMap;
use std::collections::hash_map::Entry as MapEntry;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use hallpass_core::__private::HostError;
use hallpass_core::store::StoreError;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::timeout;

use crate::dual_instant::DualInstant;
use crate::log_limit::LogLimit;
use crate::settings::CacheSettings;

/// The result of a load, shared by all who waited for it.
pub(crate) type LoadResult<T> = Result<T, LoadError>;

/// A load that failed. A store's error cannot be cloned, so its kind and its text are kept.
#[derive(Clone, Debug)]
pub(crate) struct LoadError {
    corrupt: bool,
    message: String,
}

impl LoadError {
    fn new(message: &str) -> Self {
        Self { corrupt: false, message: message.to_owned() }
    }
}

impl From<HostError> for LoadError {
    fn from(error: HostError) -> Self {
        Self { corrupt: false, message: error.to_string() }
    }
}

impl From<StoreError> for LoadError {
    fn from(error: StoreError) -> Self {
        let corrupt = error.is_corrupt();
        let message = match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        Self { corrupt, message }
    }
}

impl From<LoadError> for HostError {
    fn from(error: LoadError) -> Self {
        error.message.into()
    }
}

impl From<LoadError> for StoreError {
    fn from(error: LoadError) -> Self {
        if error.corrupt { Self::corrupt(error.message) } else { Self::unavailable(error.message) }
    }
}

/// The loads of one kind that wait or run.
#[derive(Debug)]
pub(crate) struct SingleFlight<K, T> {
    loads: Mutex<HashMap<K, Load<T>>>,
    permits: Semaphore,
    /// The number of loads that wait or run, above which strangers are refused.
    capacity: usize,
    joinable: Duration,
    queue_deadline: Duration,
    refusals: LogLimit,
}

#[derive(Debug)]
struct Load<T> {
    /// Empty while the load waits for its permit.
    started: Arc<OnceLock<DualInstant>>,
    result: watch::Receiver<Option<LoadResult<T>>>,
}

/// How a caller takes part in a load.
pub(crate) enum Join<K: Hash + Eq, T> {
    /// Somebody else is loading: wait for the result.
    Wait(watch::Receiver<Option<LoadResult<T>>>),
    /// The caller has to run the load.
    Lead(Leader<K, T>, watch::Receiver<Option<LoadResult<T>>>),
    /// The queue is full.
    Full,
}

/// The duty to run a load. Dropping it ends the load, with or without a result.
#[derive(Debug)]
pub(crate) struct Leader<K: Hash + Eq, T> {
    flights: Arc<SingleFlight<K, T>>,
    key: K,
    started: Arc<OnceLock<DualInstant>>,
    result: watch::Sender<Option<LoadResult<T>>>,
}

impl<K: Hash + Eq + Clone, T: Clone> SingleFlight<K, T> {
    pub(crate) fn new(settings: &CacheSettings) -> Self {
        Self {
            loads: Mutex::new(HashMap::new()),
            permits: Semaphore::new(settings.concurrent_loads),
            capacity: settings.concurrent_loads + settings.queued_loads,
            joinable: settings.joinable(),
            queue_deadline: settings.load_deadline,
            refusals: LogLimit::default(),
        }
    }

    /// Joins the load of this key, or starts one.
    ///
    /// A key that is known (`is_known`) is never refused: there are only as many of these as the
    /// cache remembers, and strangers cannot add to them.
    pub(crate) fn join(self: &Arc<Self>, key: &K, is_known: impl FnOnce() -> bool) -> Join<K, T> {
        let now = DualInstant::now();
        let mut loads = self.lock();
        let is_full = loads.len() >= self.capacity;
        let place = loads.entry(key.clone());
        if let MapEntry::Occupied(load) = &place {
            let is_joinable = |started: &DualInstant| started.age(now) < self.joinable;
            if load.get().started.get().is_none_or(is_joinable) {
                return Join::Wait(load.get().result.clone());
            }
        } else if is_full && !is_known() {
            drop(loads);
            self.refused();
            return Join::Full;
        }
        // An old load goes on for those who wait for it; newcomers do not rely on it.
        let (sender, result) = watch::channel(None);
        let started = Arc::new(OnceLock::new());
        let load = Load { started: Arc::clone(&started), result: result.clone() };
        place.insert_entry(load);
        drop(loads);
        let (flights, key) = (Arc::clone(self), key.clone());
        Join::Lead(Leader { flights, key, started, result: sender }, result)
    }
}

impl<K: Hash + Eq, T> SingleFlight<K, T> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Load<T>>> {
        self.loads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a load that was refused, and logs the count once a second.
    fn refused(&self) {
        if let Some(refused) = self.refusals.count() {
            tracing::warn!(
                target: "hallpass",
                refused,
                "too many loads at once: refused checks of tokens that are not cached"
            );
        }
    }
}

impl<K: Hash + Eq, T> Leader<K, T> {
    /// Waits for a permit, and returns it with the instant at which the load begins. That instant
    /// is taken after the wait and before the store is asked, so that a wait makes no record look
    /// old.
    ///
    /// # Errors
    ///
    /// Returns an error if no permit was free within the load deadline.
    pub(crate) async fn begin(&self) -> Result<(DualInstant, SemaphorePermit<'_>), LoadError> {
        let permit = timeout(self.flights.queue_deadline, self.flights.permits.acquire()).await;
        let Ok(Ok(permit)) = permit else {
            self.flights.refused();
            return Err(LoadError::new("too many tokens are being loaded at once"));
        };
        Ok((*self.started.get_or_init(DualInstant::now), permit))
    }

    /// Ends the load and tells everybody who waits.
    pub(crate) fn complete(self, result: LoadResult<T>) {
        self.leave();
        self.result.send_replace(Some(result));
    }

    /// Takes the load off the table, unless a newer one has taken its place.
    fn leave(&self) {
        let mut loads = self.flights.lock();
        if loads.get(&self.key).is_some_and(|load| Arc::ptr_eq(&load.started, &self.started)) {
            loads.remove(&self.key);
        }
    }
}

impl<K: Hash + Eq, T> Drop for Leader<K, T> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Waits for the result of a load. A leader that is gone without a result has panicked.
pub(crate) async fn result<T: Clone>(
    mut receiver: watch::Receiver<Option<LoadResult<T>>>,
) -> LoadResult<T> {
    let result = match receiver.wait_for(Option::is_some).await {
        Ok(result) => result.clone(),
        Err(_) => None,
    };
    result.unwrap_or_else(|| Err(LoadError::new("a load ended without a result")))
}
