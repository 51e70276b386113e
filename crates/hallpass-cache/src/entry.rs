use std::sync::Arc;

use hallpass_core::LoadedToken;
use hallpass_core::store::Seq;

use crate::moment::Moment;
use crate::settings::CacheSettings;
use crate::stripes::{Footing, Stripes};

/// A token as it was read, and all that decides for how long that may be used.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) token: Arc<LoadedToken>,
    pub(crate) reading: Reading,
    pub(crate) footing: Footing,
}

/// Of when a reading is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// The change log's number in the snapshot it was read from.
    pub(crate) as_of: Seq,
    /// The history that number belongs to.
    pub(crate) history: u64,
    /// Before the store was asked.
    pub(crate) started: Moment,
}

impl Reading {
    /// Whether what was read is known to have been true within the bound: when it was read, or when
    /// the lease was last renewed.
    pub(crate) fn is_fresh(&self, lease: Option<Moment>, settings: &CacheSettings) -> bool {
        let now = Moment::now();
        let within = |then: Moment| then.age(now) <= settings.bound;
        within(self.started) || lease.is_some_and(within) || !settings.guards.freshness
    }
}

impl Entry {
    /// The lease and the entry were read before this looks at the stripes: in that order, a
    /// change that the lease vouches for has reached its stripe.
    pub(crate) fn is_usable(
        &self,
        stripes: &Stripes,
        lease: Option<Moment>,
        settings: &CacheSettings,
    ) -> bool {
        let Reading { as_of, history, .. } = self.reading;
        self.reading.is_fresh(lease, settings)
            && (stripes.allow(self.footing, as_of, history) || !settings.guards.stripes)
    }

    /// About how much memory it takes: for the bound of the cache.
    pub(crate) fn weight(&self) -> u32 {
        let record = self.token.record();
        let scopes: usize = record.scopes.iter().map(|scope| scope.as_str().len() + 16).sum();
        let texts = record.name.len() + record.description.len() + record.owner.as_str().len();
        u32::try_from(512 + texts + scopes).unwrap_or(u32::MAX)
    }
}
