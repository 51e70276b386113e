use std::sync::Arc;
use std::time::Duration;

use hallpass_core::__private::{CacheMeta, CachedToken, Interner};
use hallpass_core::TokenId;
use hallpass_core::store::{ChangeSeq, StoredToken};

use crate::guards::Guards;
use crate::moment::Moment;
use crate::stripes::{Footing, Stripes};

/// A token as it was read, and all that decides for how long that may be used: one piece of memory.
#[derive(Clone, Debug)]
pub(crate) struct Entry(Arc<CachedToken>);

/// Of when a reading is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// The change log's number in the snapshot it was read from.
    pub(crate) as_of: ChangeSeq,
    /// The history that number belongs to.
    pub(crate) history: u32,
    /// Before the store was asked.
    pub(crate) started: Moment,
}

impl Reading {
    /// Whether what was read is known to have been true within that time: when it was read, or when
    /// the lease was last renewed.
    ///
    /// No lease prolongs it beyond `max_age`: a record that was changed past the library, by hand in
    /// the database, is not in the change log.
    pub(crate) fn is_fresh(
        &self,
        lease: Option<Moment>,
        within: Duration,
        max_age: Duration,
        guards: Guards,
    ) -> bool {
        let now = Moment::glance();
        let age = if guards.wall_clock() { Moment::age } else { Moment::time_awake };
        let is_recent = |then: Moment| age(then, now) <= within;
        let is_young = age(self.started, now) <= max_age || !guards.max_age();
        is_young && (lease.is_some_and(is_recent) || is_recent(self.started) || !guards.freshness())
    }
}

impl Entry {
    pub(crate) fn new(
        stored: StoredToken,
        pool: &Interner,
        reading: Reading,
        stripes: &Stripes,
    ) -> Self {
        let footing = stripes.footing(stored.record.id, &stored.record.owner);
        let note = write(reading, footing);
        Self(Arc::new(CachedToken::for_cache(stored, pool, note)))
    }

    /// What is in a slot.
    pub(crate) fn from_token(token: Arc<CachedToken>) -> Self {
        Self(token)
    }

    pub(crate) fn into_token(self) -> Arc<CachedToken> {
        self.0
    }

    pub(crate) fn id(&self) -> TokenId {
        self.0.id()
    }

    pub(crate) fn token(&self) -> &CachedToken {
        &self.0
    }

    pub(crate) fn reading(&self) -> Reading {
        noted(&self.0).0
    }

    /// About how much memory it takes in the cache that is bounded: for that bound.
    pub(crate) fn weight(&self) -> u32 {
        let scopes: usize = self.0.scopes().iter().map(|scope| scope.as_str().len() + 32).sum();
        u32::try_from(WEIGHT + self.0.owner().as_str().len() + scopes).unwrap_or(u32::MAX)
    }
}

/// What was noted with a token when it was cached.
pub(crate) fn noted(token: &CachedToken) -> (Reading, Footing) {
    read(token.cache_note())
}

fn write(reading: Reading, footing: Footing) -> CacheMeta {
    let Reading { as_of, history, started } = reading;
    let [monotonic, wall] = started.to_words();
    [as_of.get(), u64::from(history) << 32 | u64::from(footing.to_word()), monotonic, wall]
}

fn read(note: &CacheMeta) -> (Reading, Footing) {
    let [as_of, place, monotonic, wall] = *note;
    let started = Moment::from_words([monotonic, wall]);
    let reading = Reading { as_of: ChangeSeq::new(as_of), history: (place >> 32) as u32, started };
    (reading, Footing::from_word(place as u32))
}

/// What an entry takes without its texts, moka's own share included: as `cargo xtask bench cache` measures it.
const WEIGHT: usize = 448;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_what_was_noted() {
        let started = Moment::now();
        let reading =
            Reading { as_of: ChangeSeq::new(u64::MAX - 3), history: u32::MAX - 1, started };
        let footing = Footing::from_word(0x0FED_0CBA);
        let (read_back, footing_back) = read(&write(reading, footing));
        assert_eq!((read_back.as_of, read_back.history), (reading.as_of, reading.history));
        assert_eq!(read_back.started.to_words(), started.to_words());
        assert_eq!(footing_back.to_word(), footing.to_word());
    }
}
