//! Single-flight: at most one load for each key at a time, and a limited number of loads in total.
//!
//! A load has three stages:
//!
//! 1. [`SingleFlight::join`] adds the load to a table. All callers that need the same key wait for
//!    this load.
//! 2. [`Leader::run`] waits for a permit. tokio's semaphore grants permits in the order of arrival.
//! 3. The store is queried. Then the load is removed from the table, and its result is sent to all
//!    waiting callers.
//!
//! **Why a queue.** Without a keyed checksum, any client can forge well-formed tokens, and each of
//! them has to be looked up. If loads beyond the limit were rejected at once, a flood of forged
//! tokens would win almost every permit, and valid tokens that are not cached would be rejected. In
//! a fair queue, a flood from `n` connections takes at most `n` places, because each connection
//! waits for its answer before it sends the next request. A load is one read by primary key. With
//! 64 loads at a time and 1 ms each, 400 places are served in about 7 ms. So valid tokens are
//! served although they cannot be distinguished from forged ones.
//!
//! **Invariants.**
//!
//! - Each load runs in its own task. If a caller is dropped, the load continues for the others.
//! - A load can be joined while it waits for its permit, and for a short time after it has started.
//!   If a query is lost, it delays only the callers that joined within that time.
//! - A load leaves the table *before* its result is sent. In the reverse order, a caller could join
//!   a load that has already failed, and would get an error from before its call.
//! - Errors are sent to the waiting callers, and are never cached.

use std::collections::HashMap;
use std::collections::hash_map::Entry as MapEntry;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use hallpass_core::__private::Throttle;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use crate::dual_instant::DualInstant;
use crate::settings::CacheSettings;

/// The error of a load that was not run to its end.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The queue is full, or no permit was free within the load deadline.
    #[error("too many loads at once")]
    Rejected,
    /// The load has panicked, or its runtime has ended.
    #[error("a load ended without a result")]
    Ended,
}

/// The result of a load, which all waiting callers share. It is empty while the load is running.
type Shared<T> = watch::Receiver<Option<Result<T, LoadError>>>;

/// The loads of one kind that are waiting or running.
#[derive(Debug)]
pub(crate) struct SingleFlight<K, T> {
    loads: Mutex<HashMap<K, Load<T>>>,
    permits: Semaphore,
    /// The number of waiting and running loads at which loads of unknown keys are rejected.
    capacity: usize,
    joinable: Duration,
    queue_deadline: Duration,
    rejections: Throttle,
}

/// A load that is waiting or running.
#[derive(Debug)]
struct Load<T> {
    /// The instant at which the load started. It is empty while the load waits for its permit.
    started: Arc<OnceLock<DualInstant>>,
    result: Shared<T>,
}

/// The caller that runs a load. Dropping it ends the load, with or without a result.
#[derive(Debug)]
struct Leader<K: Hash + Eq, T> {
    flights: Arc<SingleFlight<K, T>>,
    key: K,
    started: Arc<OnceLock<DualInstant>>,
    result: watch::Sender<Option<Result<T, LoadError>>>,
}

/// A load that a caller has joined: the leader, if the caller has to run the load, and the result.
type Joined<K, T> = (Option<Leader<K, T>>, Shared<T>);

impl<K, T> SingleFlight<K, T>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    pub(crate) fn new(settings: &CacheSettings) -> Self {
        Self {
            loads: Mutex::new(HashMap::new()),
            permits: Semaphore::new(settings.concurrent_loads),
            capacity: settings.concurrent_loads + settings.queued_loads,
            joinable: settings.joinable(),
            queue_deadline: settings.load_deadline,
            rejections: Throttle::new(),
        }
    }

    /// Runs a load, or waits for the result if the same key is being loaded already. `load` gets
    /// the instant at which the load starts.
    ///
    /// If `is_known` returns `true`, the load is never rejected. Forged tokens cannot exploit this,
    /// because only tokens that exist are in the cache.
    ///
    /// # Errors
    ///
    /// Returns [`LoadError`] if the load was not run to its end.
    pub(crate) async fn run<L, F>(
        self: &Arc<Self>,
        key: &K,
        is_known: impl FnOnce() -> bool,
        load: L,
    ) -> Result<T, LoadError>
    where
        L: FnOnce(DualInstant) -> F + Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let (leader, mut result) = self.join(key, is_known)?;
        if let Some(leader) = leader {
            // The load has its own task, so that a caller that is dropped does not cancel it for
            // the others.
            tokio::spawn(leader.run(load));
        }
        let result = result.wait_for(Option::is_some).await.map_err(|_| LoadError::Ended)?;
        result.clone().unwrap_or(Err(LoadError::Ended))
    }

    /// Joins the load of this key, or adds one.
    fn join(
        self: &Arc<Self>,
        key: &K,
        is_known: impl FnOnce() -> bool,
    ) -> Result<Joined<K, T>, LoadError> {
        let now = DualInstant::now();
        let mut loads = self.lock();
        let is_full = loads.len() >= self.capacity;
        let table_entry = loads.entry(key.clone());
        if let MapEntry::Occupied(load) = &table_entry {
            let is_joinable = |started: &DualInstant| started.age(now) < self.joinable;
            if load.get().started.get().is_none_or(is_joinable) {
                return Ok((None, load.get().result.clone()));
            }
        } else if is_full && !is_known() {
            drop(loads);
            self.rejected();
            return Err(LoadError::Rejected);
        }
        // An old load continues for the callers that wait for it. This load takes its place in the
        // table.
        let (sender, result) = watch::channel(None);
        let started = Arc::new(OnceLock::new());
        let load = Load { started: Arc::clone(&started), result: result.clone() };
        table_entry.insert_entry(load);
        drop(loads);
        let (flights, key) = (Arc::clone(self), key.clone());
        Ok((Some(Leader { flights, key, started, result: sender }), result))
    }
}

impl<K: Hash + Eq, T> SingleFlight<K, T> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Load<T>>> {
        self.loads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a load that was rejected, and logs the count once a second.
    fn rejected(&self) {
        if let Some(rejected) = self.rejections.count(1) {
            tracing::warn!(
                target: "hallpass",
                rejected,
                "too many loads at once, rejected checks of tokens that are not cached"
            );
        }
    }
}

impl<K: Hash + Eq, T> Leader<K, T> {
    /// Waits for a permit, runs the load, and sends the result to all waiting callers.
    ///
    /// The instant is taken after the wait, so that a long wait does not make the record look old.
    /// It is taken before the store is queried, so that the record is not older than it looks.
    async fn run<F: Future<Output = T>>(self, load: impl FnOnce(DualInstant) -> F) {
        let permit = timeout(self.flights.queue_deadline, self.flights.permits.acquire()).await;
        let result = if let Ok(Ok(_permit)) = permit {
            Ok(load(*self.started.get_or_init(DualInstant::now)).await)
        } else {
            self.flights.rejected();
            Err(LoadError::Rejected)
        };
        self.leave();
        self.result.send_replace(Some(result));
    }

    /// Removes the load from the table, unless a newer load has taken its place.
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
