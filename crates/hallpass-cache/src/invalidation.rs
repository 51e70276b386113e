//! Invalidation: the record of which changes this node has applied.
//!
//! Nothing is removed from the cache when a token changes. Instead, each cached record carries the
//! sequence number of the change log when it was read (`as_of`). Each token id and each owner
//! hashes to one of 4096 *stripes*. A stripe holds the number of the last change that was applied
//! to any of its tokens or owners. A record may be used only if
//!
//! ```text
//! as_of >= max(stripe of its token, stripe of its owner, min_seq)
//! ```
//!
//! So an invalidation is a single `fetch_max`, and filling the cache cannot race with it. A load
//! that has read a record before a revocation has a smaller `as_of`. The check rejects that record,
//! no matter when the load completes and how many callers share it. If two ids share a stripe, a
//! change to one of them only causes a reload of the other.
//!
//! **Epochs.** Sequence numbers can be compared only within one history of the store. After a
//! failover or a restored backup, the numbers may go back, and the old stripes would reject valid
//! records forever. In that case the node begins a new *epoch*: it resets all stripes. The
//! epoch is odd during the reset. A record may be used only in the epoch in which its load started,
//! and never if that epoch was odd. Such a load may have read the record before a change whose
//! stripe was then reset.
//!
//! **Order.** A check reads the stripes and `min_seq` first, and the epoch last. The reset makes
//! the epoch odd before it touches a stripe, and stores each stripe with `Release`. So a check that
//! has seen a reset stripe also sees the odd epoch. In the reverse order, a check could read the
//! old epoch and then a reset stripe, and accept a revoked token. For the same reason, a load reads
//! the epoch before it queries the store. The models in `tests/loom` fail with the reverse orders.

use std::hash::{BuildHasher as _, RandomState};

use hallpass_core::store::{ChangeSeq, ChangeTarget};
use hallpass_core::{Owner, TokenId};

use crate::sizes::STRIPES;
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// The number of the last change that was applied to each stripe.
#[derive(Debug)]
pub(crate) struct Invalidation {
    tokens: Box<[AtomicU64]>,
    owners: Box<[AtomicU64]>,
    /// The minimum number. Every record with a smaller `as_of` is invalid.
    min_seq: AtomicU64,
    /// The epoch. It is odd while the stripes are reset.
    epoch: AtomicU32,
    hasher: RandomState,
}

/// The stripes of a token and of its owner. They are computed once, when the token is loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StripePair {
    token: u16,
    owner: u16,
}

/// A mark of the changes that were applied to an owner up to some instant. If two marks are equal,
/// no change was applied to the owner between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnerMark {
    epoch: u32,
    min_seq: u64,
    last: u64,
}

impl StripePair {
    /// Packs the pair into one word.
    pub(crate) fn to_word(self) -> u32 {
        u32::from(self.token) << 16 | u32::from(self.owner)
    }

    /// Restores a pair from [`to_word`](Self::to_word).
    pub(crate) fn from_word(word: u32) -> Self {
        Self { token: (word >> 16) as u16, owner: word as u16 }
    }
}

impl Invalidation {
    pub(crate) fn new() -> Self {
        let stripes = || (0..STRIPES).map(|_| AtomicU64::new(0)).collect();
        Self {
            tokens: stripes(),
            owners: stripes(),
            min_seq: AtomicU64::new(0),
            epoch: AtomicU32::new(0),
            hasher: RandomState::new(),
        }
    }

    pub(crate) fn stripe_pair(&self, id: TokenId, owner: &Owner) -> StripePair {
        StripePair { token: self.stripe(&id), owner: self.stripe(owner) }
    }

    /// Returns the stripe of a token that does not exist and therefore has no owner.
    pub(crate) fn token_stripe(&self, id: TokenId) -> u16 {
        self.stripe(&id)
    }

    /// Applies a change. When this returns, this node no longer uses records from before the
    /// change.
    pub(crate) fn apply(&self, target: &ChangeTarget, seq: ChangeSeq) {
        let stripe = match target {
            ChangeTarget::None => return,
            ChangeTarget::Token(id) => &self.tokens[usize::from(self.stripe(id))],
            ChangeTarget::Owner(owner) => &self.owners[usize::from(self.stripe(owner))],
            // `All`, and any target that a later version may add.
            _ => &self.min_seq,
        };
        stripe.fetch_max(seq.get(), Ordering::Release);
    }

    /// Returns whether a record with this `as_of` and epoch reflects every change that was applied
    /// to its stripes.
    pub(crate) fn allow(&self, stripes: StripePair, as_of: ChangeSeq, epoch: u32) -> bool {
        let as_of = as_of.get();
        let covers = |stripe: &AtomicU64| stripe.load(Ordering::Acquire) <= as_of;
        covers(&self.tokens[usize::from(stripes.token)])
            && covers(&self.owners[usize::from(stripes.owner)])
            && self.is_current(as_of, epoch)
    }

    /// Returns the same for a cached absence: the fact that a token does not exist. `token` is its
    /// stripe.
    pub(crate) fn allow_absence(&self, token: u16, as_of: ChangeSeq, epoch: u32) -> bool {
        self.tokens[usize::from(token)].load(Ordering::Acquire) <= as_of.get()
            && self.is_current(as_of.get(), epoch)
    }

    /// Returns the mark of an owner, or `None` while the stripes are reset.
    pub(crate) fn mark(&self, owner: &Owner) -> Option<OwnerMark> {
        let epoch = self.epoch.load(Ordering::Acquire);
        let min_seq = self.min_seq.load(Ordering::Acquire);
        let last = self.owners[usize::from(self.stripe(owner))].load(Ordering::Acquire);
        // The epoch is read again, because a stripe that was reset in between looks as if no change
        // had ever been applied to it.
        self.is_in(epoch).then_some(OwnerMark { epoch, min_seq, last })
    }

    /// Returns whether a record is above the minimum number and of the current epoch.
    fn is_current(&self, as_of: u64, epoch: u32) -> bool {
        self.min_seq.load(Ordering::Acquire) <= as_of && self.is_in(epoch)
    }

    /// Returns whether the stripes that were just read belong to this epoch. Call it last: see the
    /// module.
    fn is_in(&self, epoch: u32) -> bool {
        epoch.is_multiple_of(2) && self.epoch.load(Ordering::Relaxed) == epoch
    }

    /// Returns the epoch of a load that starts now.
    pub(crate) fn epoch(&self) -> u32 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Invalidates every record that was read before `head`.
    pub(crate) fn raise_min_seq(&self, head: ChangeSeq) {
        self.min_seq.fetch_max(head.get(), Ordering::Release);
    }

    /// Begins a new epoch at `head`. The caller holds a lock, so resets never overlap.
    pub(crate) fn begin_epoch(&self, head: ChangeSeq) {
        // `Relaxed` suffices, because each stripe below is stored with `Release`: a thread that
        // sees one of these stores also sees this one.
        self.epoch.fetch_add(1, Ordering::Relaxed);
        for stripe in self.tokens.iter().chain(&self.owners) {
            stripe.store(0, Ordering::Release);
        }
        self.min_seq.store(head.get(), Ordering::Release);
        self.epoch.fetch_add(1, Ordering::Release);
    }

    /// Returns the stripe of a token or owner.
    fn stripe(&self, key: &impl std::hash::Hash) -> u16 {
        // The number of stripes is a power of two, so the remainder is the low bits.
        (self.hasher.hash_one(key) as usize % STRIPES) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> TokenId {
        format!("018f3c1e-7a2b-8c4d-9e5f-{number:012x}").parse().unwrap()
    }

    #[test]
    fn change_invalidates_only_records_read_before_it() {
        let stripes = Invalidation::new();
        let alice = Owner::new("alice").unwrap();
        let stripe_pair = stripes.stripe_pair(id(1), &alice);
        let usable = |as_of| stripes.allow(stripe_pair, ChangeSeq::new(as_of), 0);
        assert!(usable(0));
        stripes.apply(&ChangeTarget::Token(id(1)), ChangeSeq::new(5));
        assert!(!usable(4) && usable(5));
        stripes.apply(&ChangeTarget::Token(id(1)), ChangeSeq::new(3));
        assert!(!usable(4), "a late or repeated entry must not lower a stripe");
        stripes.apply(&ChangeTarget::Owner(alice), ChangeSeq::new(7));
        assert!(!usable(6) && usable(7));
        stripes.apply(&ChangeTarget::All, ChangeSeq::new(9));
        assert!(!usable(8) && usable(9));
        stripes.apply(&ChangeTarget::None, ChangeSeq::new(11));
        assert!(usable(9), "a change without a target must invalidate nothing");
    }

    #[test]
    fn new_epoch_invalidates_records_of_the_old_one() {
        let stripes = Invalidation::new();
        let stripe_pair = stripes.stripe_pair(id(1), &Owner::new("alice").unwrap());
        stripes.apply(&ChangeTarget::Token(id(1)), ChangeSeq::new(100));
        stripes.begin_epoch(ChangeSeq::new(40));
        let epoch = stripes.epoch();
        let usable = |as_of, epoch| stripes.allow(stripe_pair, ChangeSeq::new(as_of), epoch);
        assert!(!usable(100, epoch - 2));
        assert!(!usable(100, epoch - 1), "the record was loaded during the reset");
        assert!(usable(40, epoch));
        assert!(!usable(39, epoch));
    }
}
