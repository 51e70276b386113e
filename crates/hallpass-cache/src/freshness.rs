//! When a cached record may be used, and in which order a batch of the change log takes effect.
//!
//! **Invariant.** A check that starts at `x` accepts a record only if the record was current at
//! some instant in `[x - max_staleness, x]`. A record is known to have been current
//!
//! - when it was read (`load_started`, taken before the store was asked), and
//! - when the *lease* was last renewed, if no change to it had been applied by then. The lease is
//!   the instant before the change log was asked, stored after everything it reported was applied.
//!
//! The second point depends on order, on both sides:
//!
//! - The follower applies changes **first** and renews the lease **after** that ([`LogBatch`]). In
//!   the other order, a check between the two steps relies on a lease that vouches for a change
//!   which the stripes do not show yet, and accepts a revoked token beyond the bound.
//! - A check reads the lease **first** and the stripes **after** that ([`FreshnessCheck`]). In the
//!   other order, a change and its lease may both arrive between the two reads: the check has the
//!   old stripe and the new lease.
//!
//! The lease's store is a `Release` and its load an `Acquire`, so a check that sees a lease also
//! sees every stripe that was written before it. `tests/loom` tries each of these orders.

use std::time::Duration;

use hallpass_core::__private::CachedToken;
use hallpass_core::store::{ChangeEntry, ChangeSeq};

use crate::dual_instant::{DualInstant, Lease};
use crate::entry::{Reading, metadata};
use crate::invalidation::Invalidation;
use crate::settings::CacheSettings;

/// Decides whether cached records may be used.
///
/// It holds the lease as it was when the check began. Create it **before** looking into the cache:
/// a change that this lease vouches for has reached its stripe, and the stripes are read later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FreshnessCheck<'c> {
    lease: Option<DualInstant>,
    invalidation: &'c Invalidation,
    max_staleness: Duration,
    max_age: Duration,
}

impl<'c> FreshnessCheck<'c> {
    pub(crate) fn new(
        lease: &Lease,
        invalidation: &'c Invalidation,
        settings: &CacheSettings,
    ) -> Self {
        let CacheSettings { max_staleness, max_age, .. } = *settings;
        Self { lease: lease.get(), invalidation, max_staleness, max_age }
    }

    /// Returns the same check with both time limits extended by `extra`. Known changes still count.
    pub(crate) fn extended(self, extra: Duration) -> Self {
        let (max_staleness, max_age) = (self.max_staleness + extra, self.max_age + extra);
        Self { max_staleness, max_age, ..self }
    }

    /// Returns whether a token may be used as it was read.
    pub(crate) fn allows(&self, token: &CachedToken) -> bool {
        let (reading, stripes) = metadata(token);
        self.is_fresh(reading) && self.invalidation.allow(stripes, reading.as_of, reading.epoch)
    }

    /// Returns whether it may be relied on that there was no token whose stripe would be this one.
    pub(crate) fn allows_absence(&self, token: u16, reading: Reading) -> bool {
        self.is_fresh(reading)
            && self.invalidation.allow_absence(token, reading.as_of, reading.epoch)
    }

    /// The age limit comes on top of the lease: a change that was made past the library is in no
    /// log, so a lease says nothing about it.
    fn is_fresh(&self, reading: Reading) -> bool {
        let now = DualInstant::coarse_now();
        let age = reading.started.age(now);
        age <= self.max_age
            && (age <= self.max_staleness
                || self.lease.is_some_and(|lease| lease.age(now) <= self.max_staleness))
    }
}

/// An answer of the change log that is about to take effect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogBatch<'c> {
    pub(crate) lease: &'c Lease,
    pub(crate) invalidation: &'c Invalidation,
    /// The instant before the log was asked. The answer's arrival says nothing: it may have been
    /// under way for long, and a change may have been committed meanwhile.
    pub(crate) asked_at: DualInstant,
}

impl LogBatch<'_> {
    /// Applies entries, and then renews the lease if no more entries follow.
    pub(crate) fn entries(&self, entries: &[ChangeEntry], are_last: bool) {
        for entry in entries {
            self.invalidation.apply(&entry.target, entry.position.seq);
        }
        // Half of the news is no proof that there is none.
        if are_last {
            self.lease.renew(self.asked_at);
        }
    }

    /// Starts to follow the log at its head. Everything that was read before is void, because
    /// nobody knows which changes came between that reading and the head.
    pub(crate) fn head(&self, head: ChangeSeq) {
        self.invalidation.raise_min_seq(head);
        self.lease.renew(self.asked_at);
    }
}
