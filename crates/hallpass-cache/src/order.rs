//! The two orders that the bound rests on: how a check looks, and how what the log says is taken in.

use std::time::Duration;

use hallpass_core::__private::CachedToken;
use hallpass_core::store::{ChangeEntry, ChangeSeq};

use crate::entry::{Reading, noted};
use crate::guards::Guards;
use crate::moment::{Lease, Moment};
use crate::settings::CacheSettings;
use crate::stripes::Stripes;

/// Judges what is found in the cache. To be made before that is looked for: it holds the lease of then, and looks
/// at the stripes later, so that a change that the lease vouches for has reached its stripe.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judge<'c> {
    lease: Option<Moment>,
    stripes: &'c Stripes,
    /// For how long what was true may be relied on.
    within: Duration,
    /// The age at which a record is read again, whatever the lease says.
    max_age: Duration,
    guards: Guards,
}

impl<'c> Judge<'c> {
    pub(crate) fn new(lease: &Lease, stripes: &'c Stripes, settings: &CacheSettings) -> Self {
        let CacheSettings { max_staleness, max_age, guards, .. } = *settings;
        Self { lease: lease.get(), stripes, within: max_staleness, max_age, guards }
    }

    /// The same, that relies for so much longer on what no change is known of.
    pub(crate) fn more_patient(self, by: Duration) -> Self {
        Self { within: self.within + by, ..self }
    }

    /// Whether a token may be used as it was read.
    pub(crate) fn allows(&self, token: &CachedToken) -> bool {
        let (reading, footing) = noted(token);
        reading.is_fresh(self.lease, self.within, self.max_age, self.guards)
            && self.stripes.allow(footing, reading.as_of, reading.history, self.guards)
    }

    /// Whether it may be relied on that there was no token, where one would have this stripe.
    pub(crate) fn allows_absence(&self, token: u16, reading: Reading) -> bool {
        reading.is_fresh(self.lease, self.within, self.max_age, self.guards)
            && (self.stripes.allow_absence(token, reading.as_of, reading.history)
                || !self.guards.absence())
    }
}

/// An answer of the change log, about to be taken in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Learned<'c> {
    pub(crate) lease: &'c Lease,
    pub(crate) stripes: &'c Stripes,
    pub(crate) settings: &'c CacheSettings,
    /// Before the log was asked.
    pub(crate) asked_at: Moment,
}

impl Learned<'_> {
    /// Applies lines, and only then renews the lease, if they are the last there are.
    pub(crate) fn entries(&self, entries: &[ChangeEntry], are_last: bool) {
        self.then_renew(are_last, || {
            for entry in entries {
                self.stripes.apply(&entry.target, entry.position.seq);
            }
        });
    }

    /// Where the log stands: what was read before is void, since nobody knows what came between.
    pub(crate) fn head(&self, head: ChangeSeq) {
        self.then_renew(true, || {
            if self.settings.guards.floor() {
                self.stripes.raise_floor(head);
            }
        });
    }

    fn then_renew(&self, are_last: bool, apply: impl Fn()) {
        let changes_first = self.settings.guards.changes_first();
        if !changes_first {
            self.lease.renew(self.asked_at);
        }
        apply();
        if changes_first && are_last {
            self.lease.renew(self.asked_at);
        }
    }
}
