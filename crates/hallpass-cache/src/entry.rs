//! Cache entries: tokens together with the facts that decide whether they are fresh.

use std::sync::Arc;

use hallpass_core::__private::{CacheMeta, CachedToken, Interner};
use hallpass_core::TokenId;
use hallpass_core::store::{ChangeSeq, StoredToken};

use crate::dual_instant::DualInstant;
use crate::invalidation::{Invalidation, StripePair};

/// A cached token together with its [`Reading`] and its stripes, in one allocation.
#[derive(Clone, Debug)]
pub(crate) struct Entry(Arc<CachedToken>);

/// The time and the position of the change log at which a record was read from the store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// The sequence number of the change log in the snapshot of the read.
    pub(crate) as_of: ChangeSeq,
    /// The epoch that the number belongs to, loaded before the store was queried.
    pub(crate) epoch: u32,
    /// The instant before the store was queried.
    pub(crate) started: DualInstant,
}

impl Entry {
    /// Creates an entry from a token that was read from the store.
    pub(crate) fn new(
        stored: StoredToken,
        interner: &Interner,
        reading: Reading,
        invalidation: &Invalidation,
    ) -> Self {
        let stripes = invalidation.stripe_pair(stored.record.id, &stored.record.owner);
        Self(Arc::new(CachedToken::for_cache(stored, interner, encode(reading, stripes))))
    }

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
        metadata(&self.0).0
    }

    /// Returns approximately how many bytes the entry takes in the bounded tier.
    pub(crate) fn weight(&self) -> u32 {
        let scopes: usize = self.0.scopes().iter().map(|scope| scope.as_str().len() + 32).sum();
        u32::try_from(WEIGHT + self.0.owner().as_str().len() + scopes).unwrap_or(u32::MAX)
    }
}

/// Returns the reading and the stripes of a cached token.
pub(crate) fn metadata(token: &CachedToken) -> (Reading, StripePair) {
    decode(token.cache_meta())
}

/// Packs a reading and stripes into the four words that a token keeps for the cache. They are
/// stored next to the fields that a check reads anyway, so that a hit accesses no other memory.
fn encode(reading: Reading, stripes: StripePair) -> CacheMeta {
    let Reading { as_of, epoch, started } = reading;
    let [monotonic, wall] = started.to_words();
    [as_of.get(), u64::from(epoch) << 32 | u64::from(stripes.to_word()), monotonic, wall]
}

/// Unpacks the words that [`encode`] returned.
fn decode(meta: &CacheMeta) -> (Reading, StripePair) {
    let [as_of, epoch_and_stripes, monotonic, wall] = *meta;
    let started = DualInstant::from_words([monotonic, wall]);
    let epoch = (epoch_and_stripes >> 32) as u32;
    let reading = Reading { as_of: ChangeSeq::new(as_of), epoch, started };
    (reading, StripePair::from_word(epoch_and_stripes as u32))
}

/// The weight of an entry without its texts, in bytes. It includes the memory that moka needs for
/// the entry, and was measured with `cargo xtask bench cache`.
const WEIGHT: usize = 420;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_survives_encoding() {
        let started = DualInstant::now();
        let reading = Reading { as_of: ChangeSeq::new(u64::MAX - 3), epoch: u32::MAX - 1, started };
        let stripes = StripePair::from_word(0x0FED_0CBA);
        let (reading_back, stripes_back) = decode(&encode(reading, stripes));
        assert_eq!((reading_back.as_of, reading_back.epoch), (reading.as_of, reading.epoch));
        assert_eq!(reading_back.started.to_words(), started.to_words());
        assert_eq!(stripes_back.to_word(), stripes.to_word());
    }
}
