//! Freshness: the rule that decides whether a cached record may be used.
//!
//! **Invariant.** A check that starts at the instant `x` accepts a record only if the record was
//! current at some instant in `[x - max_staleness, x]`. There are two proofs that a record was
//! current:
//!
//! - It was current when it was read. `Reading::started` is taken before the store is queried.
//! - It was current when the *lease* was renewed, if no change to it had been applied by then. The
//!   lease is the instant before the change log was read. It is stored after all entries of the
//!   batch were applied.
//!
//! The second proof depends on the order of steps, on both sides:
//!
//! - The follower applies changes **first**, and renews the lease **afterwards** ([`LogBatch`]). In
//!   the reverse order, a check between the two steps would see the new lease but the old stripes.
//!   It would accept a revoked token beyond the bound.
//! - A check reads the lease **first**, and the stripes **afterwards** ([`FreshnessCheck`]). In the
//!   reverse order, the follower could apply a change and renew the lease between the two reads.
//!   The check would again use the old stripes with the new lease.
//!
//! The lease is stored with `Release` and loaded with `Acquire`. So a check that sees a lease also
//! sees every stripe that was written before it. The models in `tests/loom` fail with either of the
//! reverse orders.

use std::time::Duration;

use hallpass_core::__private::CachedToken;
use hallpass_core::store::{ChangeEntry, ChangeSeq};

use crate::dual_instant::{DualInstant, Lease};
use crate::entry::{Reading, metadata};
use crate::invalidation::Invalidation;
use crate::settings::CacheSettings;

/// A check of whether cached records are fresh.
///
/// It holds the lease of the instant at which the check began. Create it **before** looking into
/// the cache: the stripes are read later, and then show every change that this lease covers.
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

    /// Returns the same check with both time limits extended by `extra`. It still rejects a record
    /// if a later change has been applied.
    pub(crate) fn extended(self, extra: Duration) -> Self {
        let (max_staleness, max_age) = (self.max_staleness + extra, self.max_age + extra);
        Self { max_staleness, max_age, ..self }
    }

    /// Returns whether a cached token may be used.
    pub(crate) fn allows(&self, token: &CachedToken) -> bool {
        let (reading, stripes) = metadata(token);
        self.is_fresh(reading) && self.invalidation.allow(stripes, reading.as_of, reading.epoch)
    }

    /// Returns whether a cached absence may be used: the fact that a token does not exist. `token`
    /// is its stripe.
    pub(crate) fn allows_absence(&self, token: u16, reading: Reading) -> bool {
        self.is_fresh(reading)
            && self.invalidation.allow_absence(token, reading.as_of, reading.epoch)
    }

    /// Returns whether a reading is recent enough, by its own age or by the lease.
    ///
    /// The limit on the age applies in addition to the lease. A change that is made by hand in the
    /// database is not in the log, so the lease does not cover it.
    fn is_fresh(&self, reading: Reading) -> bool {
        let now = DualInstant::coarse_now();
        let age = reading.started.age(now);
        age <= self.max_age
            && (age <= self.max_staleness
                || self.lease.is_some_and(|lease| lease.age(now) <= self.max_staleness))
    }
}

/// A batch of the change log that is about to be applied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogBatch<'c> {
    pub(crate) lease: &'c Lease,
    pub(crate) invalidation: &'c Invalidation,
    /// The instant before the log was read. The instant of the reply would be wrong, because a
    /// change may have been committed while the reply was in transit.
    pub(crate) asked_at: DualInstant,
}

impl LogBatch<'_> {
    /// Applies entries, and then renews the lease if no more entries follow.
    pub(crate) fn entries(&self, entries: &[ChangeEntry], are_last: bool) {
        for entry in entries {
            self.invalidation.apply(&entry.target, entry.position.seq);
        }
        // If more entries follow, one of them may be about any record, so no record is proven to be
        // current yet.
        if are_last {
            self.lease.renew(self.asked_at);
        }
    }

    /// Starts to follow the log at its head. All records that were read before become invalid,
    /// because it is unknown which changes lie between their readings and the head.
    pub(crate) fn head(&self, head: ChangeSeq) {
        self.invalidation.raise_min_seq(head);
        self.lease.renew(self.asked_at);
    }
}
