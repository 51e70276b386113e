use std::hash::{BuildHasher as _, RandomState};

use hallpass_core::store::{ChangeSeq, ChangeTarget};
use hallpass_core::{Owner, TokenId};

use crate::guards::Guards;
use crate::sizes::STRIPES;
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// The last change that was applied to each stripe of tokens and of owners, and to everything.
///
/// A record is usable only if it was read at or after the changes of its stripes: invalidating is one
/// `fetch_max`, and nothing has to be removed from any cache in time.
#[derive(Debug)]
pub(crate) struct Stripes {
    tokens: Box<[AtomicU64]>,
    owners: Box<[AtomicU64]>,
    /// Every record that was read before this is void.
    floor: AtomicU64,
    /// Even while one history is followed; odd while the stripes are being reset for another.
    history: AtomicU32,
    hasher: RandomState,
}

/// The stripes that a record stands on: computed once, when it is loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Footing {
    token: u16,
    owner: u16,
}

/// What had been applied to an owner at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnerMark {
    history: u32,
    floor: u64,
    last: u64,
}

impl Footing {
    pub(crate) fn to_word(self) -> u32 {
        u32::from(self.token) << 16 | u32::from(self.owner)
    }

    /// Takes back what [`to_word`](Self::to_word) gave.
    pub(crate) fn from_word(word: u32) -> Self {
        Self { token: (word >> 16) as u16, owner: word as u16 }
    }
}

impl Stripes {
    pub(crate) fn new() -> Self {
        let stripes = || (0..STRIPES).map(|_| AtomicU64::new(0)).collect();
        Self {
            tokens: stripes(),
            owners: stripes(),
            floor: AtomicU64::new(0),
            history: AtomicU32::new(0),
            hasher: RandomState::new(),
        }
    }

    /// The stripes of a token, and of its owner if one is known.
    pub(crate) fn footing(&self, id: TokenId, owner: &Owner) -> Footing {
        Footing { token: self.place(&id), owner: self.place(owner) }
    }

    /// The stripe of a token of which nobody knows an owner: that it does not exist depends on nothing else.
    pub(crate) fn token_stripe(&self, id: TokenId) -> u16 {
        self.place(&id)
    }

    /// Applies a change. Once this has returned, no record from before it is usable here.
    pub(crate) fn apply(&self, affected: &ChangeTarget, seq: ChangeSeq) {
        let stripe = match affected {
            ChangeTarget::None => return,
            ChangeTarget::Token(id) => &self.tokens[usize::from(self.place(id))],
            ChangeTarget::Owner(owner) => &self.owners[usize::from(self.place(owner))],
            // Everything, or something that a later version may log.
            _ => &self.floor,
        };
        stripe.fetch_max(seq.get(), Ordering::Release);
    }

    /// Whether a record that was read as of `as_of`, in that history, has seen every change to it
    /// that was applied here.
    pub(crate) fn allow(
        &self,
        footing: Footing,
        as_of: ChangeSeq,
        history: u32,
        guards: Guards,
    ) -> bool {
        let as_of = as_of.get();
        let covers = |stripe: &AtomicU64| stripe.load(Ordering::Acquire) <= as_of;
        (covers(&self.tokens[usize::from(footing.token)]) || !guards.token_stripe())
            && (covers(&self.owners[usize::from(footing.owner)]) || !guards.owner_stripe())
            && self.is_current(as_of, history)
    }

    /// The same for the knowledge that a token does not exist.
    pub(crate) fn allow_absence(&self, token: u16, as_of: ChangeSeq, history: u32) -> bool {
        self.tokens[usize::from(token)].load(Ordering::Acquire) <= as_of.get()
            && self.is_current(as_of.get(), history)
    }

    /// What has been applied to an owner so far, in comparison with another time: the same mark means that
    /// nothing has come between. `None` while a new history begins.
    pub(crate) fn mark(&self, owner: &Owner) -> Option<OwnerMark> {
        let history = self.history.load(Ordering::Acquire);
        let floor = self.floor.load(Ordering::Acquire);
        let last = self.owners[usize::from(self.place(owner))].load(Ordering::Acquire);
        // Looked at once more: a stripe that was reset meanwhile looks like one that nothing ever came to.
        self.is_in(history).then_some(OwnerMark { history, floor, last })
    }

    fn is_current(&self, as_of: u64, history: u32) -> bool {
        self.floor.load(Ordering::Acquire) <= as_of && self.is_in(history)
    }

    /// Whether what was read of the stripes just now belongs to that history. To be asked last: who has seen
    /// anything of a reset then sees that a new history begins.
    fn is_in(&self, history: u32) -> bool {
        history.is_multiple_of(2) && self.history.load(Ordering::Relaxed) == history
    }

    /// The history that a load which starts now belongs to.
    pub(crate) fn history(&self) -> u32 {
        self.history.load(Ordering::Acquire)
    }

    /// Voids every record that was read before `head`.
    pub(crate) fn raise_floor(&self, head: ChangeSeq) {
        self.floor.fetch_max(head.get(), Ordering::Release);
    }

    /// Begins a new history at `head`: after a failover numbers may go back, so the old ones say nothing.
    ///
    /// Loads that start while the stripes are reset are void: one of them could have read before a change
    /// whose mark the reset then wipes. Only the task that follows the log calls it.
    pub(crate) fn begin_history(&self, head: ChangeSeq) {
        // Who sees a stripe of after this sees this.
        self.history.fetch_add(1, Ordering::Relaxed);
        for stripe in self.tokens.iter().chain(&self.owners) {
            stripe.store(0, Ordering::Release);
        }
        self.floor.store(head.get(), Ordering::Release);
        self.history.fetch_add(1, Ordering::Release);
    }

    fn place(&self, key: &impl std::hash::Hash) -> u16 {
        // Of a power of two: the low bits.
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
    fn a_change_voids_what_was_read_before_it_and_nothing_else() {
        let stripes = Stripes::new();
        let alice = Owner::new("alice").unwrap();
        let footing = stripes.footing(id(1), &alice);
        let usable = |as_of| stripes.allow(footing, ChangeSeq::new(as_of), 0, Guards::ON);
        assert!(usable(0));
        stripes.apply(&ChangeTarget::Token(id(1)), ChangeSeq::new(5));
        assert!(!usable(4) && usable(5));
        stripes.apply(&ChangeTarget::Token(id(1)), ChangeSeq::new(3));
        assert!(!usable(4), "a late or repeated line lowers nothing");
        stripes.apply(&ChangeTarget::Owner(alice), ChangeSeq::new(7));
        assert!(!usable(6) && usable(7));
        stripes.raise_floor(ChangeSeq::new(9));
        assert!(!usable(8) && usable(9));
    }

    #[test]
    fn a_new_history_voids_everything_of_the_old_and_starts_below_it() {
        let stripes = Stripes::new();
        let footing = stripes.footing(id(1), &Owner::new("alice").unwrap());
        stripes.apply(&ChangeTarget::Token(id(1)), ChangeSeq::new(100));
        stripes.begin_history(ChangeSeq::new(40));
        let history = stripes.history();
        let usable =
            |as_of, history| stripes.allow(footing, ChangeSeq::new(as_of), history, Guards::ON);
        assert!(!usable(100, history - 2));
        assert!(!usable(100, history - 1), "loaded during the reset");
        assert!(usable(40, history));
        assert!(!usable(39, history));
    }
}
