//! Counters for the facade `metrics`. Without the feature `metrics`, every function here is empty.
//!
//! Each label has one of a few fixed values. No label contains data of a token, owner or client.

#![cfg_attr(
    not(feature = "metrics"),
    expect(dead_code, unused_variables, reason = "some items are used only to count")
)]

#[cfg(feature = "metrics")]
use std::sync::OnceLock;
use std::time::Duration;

use hallpass_core::store::{Snapshot, StoreError};
#[cfg(feature = "metrics")]
use metrics::{Counter, Gauge, Unit, counter, describe_counter, describe_gauge, gauge};

/// The counters of one cache. They are looked up in the recorder once, at the first lookup.
#[derive(Default)]
pub(crate) struct Metrics {
    #[cfg(feature = "metrics")]
    counters: OnceLock<Counters>,
}

/// The result of a lookup of a token in the cache.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LookupResult {
    /// The token is cached and fresh.
    Hit,
    /// The cache has an entry which shows that the token does not exist.
    Absent,
    /// The token is not cached.
    Miss,
    /// The token is cached, but it is stale or may have been changed.
    Stale,
    /// The token is stale, but it is used because of `stale_if_error`.
    StaleIfError,
}

/// The result of a load: a read of one token from the store.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LoadResult {
    /// The token exists.
    Found,
    /// The token does not exist.
    Absent,
    /// The store returned an error.
    Failed,
    /// The store did not reply in time.
    Late,
    /// The load did not start in time, because too many others were running or waiting.
    Rejected,
}

impl LoadResult {
    /// Classifies the store's reply.
    pub(crate) fn of<T>(reply: &Result<Snapshot<Option<T>>, StoreError>) -> Self {
        match reply {
            Ok(Snapshot { value: Some(_), .. }) => Self::Found,
            Ok(Snapshot { value: None, .. }) => Self::Absent,
            Err(_) => Self::Failed,
        }
    }
}

/// The reason why the change log is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// The store reported a change.
    Push,
    /// The poll interval has passed.
    Poll,
}

impl Metrics {
    /// Counts a lookup of a token in the cache.
    #[inline]
    pub(crate) fn count_lookup(&self, result: LookupResult) {
        #[cfg(feature = "metrics")]
        self.counters().lookups[result as usize].increment(1);
    }

    /// Counts a lookup that found no fresh entry of the token. `is_cached` returns whether the
    /// cache holds a stale one. It is called only if metrics are on.
    #[inline]
    pub(crate) fn count_miss(&self, is_cached: impl FnOnce() -> bool) {
        #[cfg(feature = "metrics")]
        self.count_lookup(if is_cached() { LookupResult::Stale } else { LookupResult::Miss });
    }

    /// Counts a load that did not start, because the queue of loads was full or took too long.
    #[inline]
    pub(crate) fn count_rejected_load(&self) {
        #[cfg(feature = "metrics")]
        self.counters().loads[LoadResult::Rejected as usize].increment(1);
    }

    /// Counts a load as running until the returned guard is dropped.
    #[inline]
    pub(crate) fn start_load(&self) -> RunningLoad<'_> {
        #[cfg(feature = "metrics")]
        self.counters().loads_in_flight.increment(1);
        RunningLoad { metrics: self, result: LoadResult::Late }
    }

    /// Records the age of the lease before it was renewed, or its current age if renewing it
    /// failed.
    #[inline]
    pub(crate) fn record_lease_age(&self, age: Option<Duration>) {
        #[cfg(feature = "metrics")]
        self.counters().lease_age.set(age.map_or(f64::INFINITY, |age| age.as_secs_f64()));
    }

    /// Records how many seconds the store's clock is ahead of this machine's clock.
    #[inline]
    pub(crate) fn record_clock_offset(&self, seconds: f64) {
        #[cfg(feature = "metrics")]
        self.counters().clock_offset.set(seconds);
    }

    /// Counts changes that were read from the log.
    #[inline]
    pub(crate) fn count_changes(&self, trigger: Trigger, changes: usize) {
        #[cfg(feature = "metrics")]
        self.counters().changes[trigger as usize].increment(changes as u64);
    }

    /// Counts an invalidation of all cached data.
    #[inline]
    pub(crate) fn count_flush(&self) {
        #[cfg(feature = "metrics")]
        self.counters().flushes.increment(1);
    }

    #[cfg(feature = "metrics")]
    fn counters(&self) -> &Counters {
        self.counters.get_or_init(Counters::new)
    }
}

/// A guard for a running load. A load that is dropped without a result is counted as late.
pub(crate) struct RunningLoad<'m> {
    metrics: &'m Metrics,
    result: LoadResult,
}

impl RunningLoad<'_> {
    /// Counts the load with its result.
    pub(crate) fn end(mut self, result: LoadResult) {
        self.result = result;
    }
}

impl Drop for RunningLoad<'_> {
    #[inline]
    fn drop(&mut self) {
        #[cfg(feature = "metrics")]
        {
            let counters = self.metrics.counters();
            counters.loads_in_flight.decrement(1);
            counters.loads[self.result as usize].increment(1);
        }
    }
}

/// The counters and gauges.
#[cfg(feature = "metrics")]
struct Counters {
    lookups: [Counter; LOOKUP_RESULTS.len()],
    loads: [Counter; LOAD_RESULTS.len()],
    changes: [Counter; TRIGGERS.len()],
    loads_in_flight: Gauge,
    lease_age: Gauge,
    clock_offset: Gauge,
    flushes: Counter,
}

/// The values of the label `result` of lookups, in the order of [`LookupResult`].
const LOOKUP_RESULTS: [&str; 5] = ["hit", "absent", "miss", "stale", "stale_if_error"];

/// The values of the label `result` of loads, in the order of [`LoadResult`].
const LOAD_RESULTS: [&str; 5] = ["found", "absent", "failed", "late", "rejected"];

/// The values of the label `by`, in the order of [`Trigger`].
const TRIGGERS: [&str; 2] = ["push", "poll"];

#[cfg(feature = "metrics")]
impl Counters {
    fn new() -> Self {
        describe();
        Self {
            lookups: LOOKUP_RESULTS.map(|result| counter!(LOOKUPS, "result" => result)),
            loads: LOAD_RESULTS.map(|result| counter!(LOADS, "result" => result)),
            changes: TRIGGERS.map(|trigger| counter!(CHANGES, "by" => trigger)),
            loads_in_flight: gauge!(IN_FLIGHT),
            lease_age: gauge!(LEASE_AGE),
            clock_offset: gauge!(CLOCK_OFFSET),
            flushes: counter!(FLUSHES),
        }
    }
}

const LOOKUPS: &str = "hallpass_cache_lookups_total";
const LOADS: &str = "hallpass_cache_loads_total";
const IN_FLIGHT: &str = "hallpass_cache_loads_in_flight";
const LEASE_AGE: &str = "hallpass_cache_lease_age_seconds";
const CLOCK_OFFSET: &str = "hallpass_cache_clock_offset_seconds";
const CHANGES: &str = "hallpass_cache_changes_applied_total";
const FLUSHES: &str = "hallpass_cache_flushes_total";

#[cfg(feature = "metrics")]
fn describe() {
    describe_counter!(LOOKUPS, Unit::Count, "Lookups of tokens by checks, by result");
    describe_counter!(LOADS, Unit::Count, "Reads of one token from the store, by result");
    describe_gauge!(IN_FLIGHT, Unit::Count, "Reads of one token from the store that are running");
    describe_gauge!(
        LEASE_AGE,
        Unit::Seconds,
        "The age of the lease when the change log was last read"
    );
    describe_gauge!(
        CLOCK_OFFSET,
        Unit::Seconds,
        "How far the store's clock is ahead of this machine's clock"
    );
    describe_counter!(
        CHANGES,
        Unit::Count,
        "Changes read from the change log, by the reason for the read"
    );
    describe_counter!(
        FLUSHES,
        Unit::Count,
        "Times that all cached data was invalidated because the change log had another history"
    );
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
