//! What is counted, for the facade `metrics`: without the feature of that name nothing is, and nothing of this is left.
//!
//! No label ever holds anything of a token, an owner or a client: each is one of a few words.

#[cfg(feature = "metrics")]
use std::sync::OnceLock;
use std::time::Duration;

use hallpass_core::store::{Snapshot, StoreError};
#[cfg(feature = "metrics")]
use metrics::{Counter, Gauge, Unit, counter, describe_counter, describe_gauge, gauge};

/// What one cache is counted by. The recorder is asked for its counters at the first look-up, not at each.
#[derive(Default)]
pub(crate) struct Measure {
    #[cfg(feature = "metrics")]
    meters: OnceLock<Meters>,
}

/// What a check found at hand.
#[cfg_attr(
    not(feature = "metrics"),
    expect(dead_code, reason = "some are told apart to be counted")
)]
#[derive(Clone, Copy, Debug)]
pub(crate) enum LookupKind {
    /// The token, usable.
    Hit,
    /// That there is no such token, usable too.
    Absent,
    /// Nothing.
    Miss,
    /// The token, but a change may have overtaken it, or it is older than the bound.
    Stale,
    /// The same, and it is used nevertheless: the store cannot be asked, and the host has set a grace.
    Grace,
}

/// How a read of the store ended.
#[cfg_attr(
    not(feature = "metrics"),
    expect(dead_code, reason = "some are told apart to be counted")
)]
#[derive(Clone, Copy, Debug)]
pub(crate) enum Loaded {
    Found,
    Absent,
    Failed,
    Late,
    /// It was not begun: too many were under way.
    TurnedAway,
}

impl Loaded {
    pub(crate) fn of<T>(found: &Result<Snapshot<Option<T>>, StoreError>) -> Self {
        match found {
            Ok(Snapshot { value: Some(_), .. }) => Self::Found,
            Ok(Snapshot { value: None, .. }) => Self::Absent,
            Err(_) => Self::Failed,
        }
    }
}

/// Why the change log is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum By {
    Nudge,
    Poll,
}

impl Measure {
    #[inline]
    pub(crate) fn looked_up(&self, found: LookupKind) {
        #[cfg(feature = "metrics")]
        self.meters().lookups[found as usize].increment(1);
        #[cfg(not(feature = "metrics"))]
        let _ = found;
    }

    /// The same where nothing usable was at hand; whether the token is known at all is asked only to be counted.
    #[inline]
    pub(crate) fn nothing_at_hand(&self, is_known: impl FnOnce() -> bool) {
        #[cfg(feature = "metrics")]
        self.looked_up(if is_known() { LookupKind::Stale } else { LookupKind::Miss });
        #[cfg(not(feature = "metrics"))]
        let _ = is_known;
    }

    /// A read of the store that was not begun.
    #[inline]
    pub(crate) fn turned_away(&self) {
        #[cfg(feature = "metrics")]
        self.meters().loads[Loaded::TurnedAway as usize].increment(1);
    }

    /// A read of the store begins, and ends when this is told or dropped.
    #[inline]
    pub(crate) fn load_begins(&self) -> Loading<'_> {
        #[cfg(feature = "metrics")]
        self.meters().loads_in_flight.increment(1);
        Loading { measure: self, ended: Loaded::Late }
    }

    /// The age that the lease had before it was renewed, or has if it could not be; `None` if there is none.
    #[inline]
    pub(crate) fn lease_age(&self, age: Option<Duration>) {
        #[cfg(feature = "metrics")]
        self.meters().lease_age.set(age.map_or(f64::INFINITY, |age| age.as_secs_f64()));
        #[cfg(not(feature = "metrics"))]
        let _ = age;
    }

    /// By how many seconds the store's clock is ahead of this machine's.
    #[inline]
    pub(crate) fn clock_offset(&self, seconds: f64) {
        #[cfg(feature = "metrics")]
        self.meters().clock_offset.set(seconds);
        #[cfg(not(feature = "metrics"))]
        let _ = seconds;
    }

    #[inline]
    pub(crate) fn changes_applied(&self, by: By, changes: usize) {
        #[cfg(feature = "metrics")]
        self.meters().applied[by as usize].increment(changes as u64);
        #[cfg(not(feature = "metrics"))]
        let _ = (by, changes);
    }

    /// Everything cached is void.
    #[inline]
    pub(crate) fn flushed(&self) {
        #[cfg(feature = "metrics")]
        self.meters().flushes.increment(1);
    }

    #[cfg(feature = "metrics")]
    fn meters(&self) -> &Meters {
        self.meters.get_or_init(Meters::new)
    }
}

/// A read of the store that is under way. Who drops it unanswered has waited long enough.
pub(crate) struct Loading<'m> {
    measure: &'m Measure,
    ended: Loaded,
}

impl Loading<'_> {
    pub(crate) fn ended(mut self, how: Loaded) {
        self.ended = how;
    }
}

impl Drop for Loading<'_> {
    #[inline]
    fn drop(&mut self) {
        #[cfg(feature = "metrics")]
        {
            let meters = self.measure.meters();
            meters.loads_in_flight.decrement(1);
            meters.loads[self.ended as usize].increment(1);
        }
        #[cfg(not(feature = "metrics"))]
        let _ = (self.measure, self.ended);
    }
}

/// Each list in the order in which its words are declared above.
#[cfg(feature = "metrics")]
struct Meters {
    lookups: [Counter; 5],
    loads: [Counter; 5],
    loads_in_flight: Gauge,
    lease_age: Gauge,
    clock_offset: Gauge,
    applied: [Counter; 2],
    flushes: Counter,
}

#[cfg(feature = "metrics")]
impl Meters {
    fn new() -> Self {
        describe();
        Self {
            lookups: ["hit", "absent", "miss", "stale", "grace"]
                .map(|result| counter!(LOOKUPS, "result" => result)),
            loads: ["found", "absent", "failed", "late", "turned_away"]
                .map(|result| counter!(LOADS, "result" => result)),
            loads_in_flight: gauge!(IN_FLIGHT),
            lease_age: gauge!(LEASE_AGE),
            clock_offset: gauge!(CLOCK_OFFSET),
            applied: ["nudge", "poll"].map(|by| counter!(APPLIED, "by" => by)),
            flushes: counter!(FLUSHES),
        }
    }
}

#[cfg(feature = "metrics")]
const LOOKUPS: &str = "hallpass_cache_lookups_total";
#[cfg(feature = "metrics")]
const LOADS: &str = "hallpass_cache_loads_total";
#[cfg(feature = "metrics")]
const IN_FLIGHT: &str = "hallpass_cache_loads_in_flight";
#[cfg(feature = "metrics")]
const LEASE_AGE: &str = "hallpass_cache_lease_age_seconds";
#[cfg(feature = "metrics")]
const CLOCK_OFFSET: &str = "hallpass_cache_clock_offset_seconds";
#[cfg(feature = "metrics")]
const APPLIED: &str = "hallpass_cache_changes_applied_total";
#[cfg(feature = "metrics")]
const FLUSHES: &str = "hallpass_cache_flushes_total";

#[cfg(feature = "metrics")]
fn describe() {
    describe_counter!(LOOKUPS, Unit::Count, "Look-ups of tokens by checks, by what was at hand");
    describe_counter!(LOADS, Unit::Count, "Reads of one token from the store, by how they ended");
    describe_gauge!(IN_FLIGHT, Unit::Count, "Reads of one token from the store that are under way");
    describe_gauge!(
        LEASE_AGE,
        Unit::Seconds,
        "For how long this node had not been known to have seen every change, when it last asked"
    );
    describe_gauge!(
        CLOCK_OFFSET,
        Unit::Seconds,
        "By how much the store's clock is ahead of this machine's, where it has one of its own"
    );
    describe_counter!(
        APPLIED,
        Unit::Count,
        "ChangeBatch read from the change log, by why it was looked at"
    );
    describe_counter!(
        FLUSHES,
        Unit::Count,
        "How often everything cached was void, since the change log did not go on"
    );
}

impl std::fmt::Debug for Measure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Measure").finish_non_exhaustive()
    }
}
