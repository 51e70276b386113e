//! What is tried: two or three threads each, and a promise.

mod answers;
mod histories;
mod lease;
mod owners;
mod slots;

use std::sync::{Arc, LazyLock};

use hallpass_core::store::{
    ChangeEntry, ChangeSeq, ChangeTarget, LogPosition, Secrets, StoredToken,
};
use hallpass_core::{Digest, Interner, Owner, TokenId, TokenRecord};

use crate::entry::{Entry, Reading};
use crate::moment::{Lease, Moment};
use crate::order::{Judge, Learned};
use crate::positive::Places;
use crate::settings::CacheSettings;
use crate::stripes::Stripes;
use crate::twist::step;

/// A few threads and what must hold, whatever the order of their steps.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// The promise.
    pub name: &'static str,
    pub(crate) run: fn(),
}

/// All of them.
pub const MODELS: &[Model] = &[
    lease::A_TOKENS_CHANGE,
    lease::A_TOKENS_CHANGE_AFTER_SLEEP,
    lease::AN_OWNERS_CHANGE,
    lease::THE_FIRST_PLACE,
    lease::A_TOKEN_THAT_IS_THERE_NOW,
    histories::THE_STRIPE_OF_A_TOKEN_IS_RESET,
    histories::THE_STRIPE_OF_AN_OWNER_IS_RESET,
    histories::THE_STRIPE_OF_AN_ABSENCE_IS_RESET,
    histories::THE_FLOOR_IS_LOWERED,
    histories::A_LOAD_STARTS_DURING_A_RESET,
    histories::A_LOAD_STARTS_BEFORE_A_HISTORY,
    histories::A_LOAD_STARTS_IN_A_HISTORY,
    owners::A_CHANGE_IS_ANNOUNCED,
    owners::A_CHANGE_IS_BELOW_THE_FIRST_PLACE,
    owners::A_CHANGE_IS_IN_A_NEW_HISTORY,
    owners::A_CHANGE_IS_WIPED,
    answers::WHAT_IS_MET_IS_SAID_TO_BE,
    slots::A_PLACE_IS_FOUGHT_FOR,
    slots::WHAT_WAS_PUT_IS_FOUND,
];

/// The lock-free parts of a node's cache.
struct Node {
    stripes: Stripes,
    lease: Lease,
    places: Places,
    settings: CacheSettings,
}

impl Node {
    /// One to whose bound nothing is fresh but the future.
    fn new() -> Arc<Self> {
        Arc::new(Self {
            stripes: Stripes::new(),
            lease: Lease::none(),
            places: Places::new(),
            settings: CacheSettings::default().bound(std::time::Duration::ZERO),
        })
    }

    fn entry(&self, id: TokenId, reading: Reading) -> Entry {
        let record = TokenRecord::new(id, alice(), "ci", jiff::Timestamp::UNIX_EPOCH);
        let current = Digest::from_parts("sha256", &[0; 32]).expect("a digest has 32 bytes");
        let secrets = Secrets { current, previous: None };
        Entry::new(StoredToken { record, secrets }, &Interner::new(), reading, &self.stripes)
    }

    /// A check of a token in the cache, as it is shipped. Answers whether the token lets in.
    fn check(self: &Arc<Self>, id: TokenId) -> impl FnOnce() -> bool + use<> {
        let node = Arc::clone(self);
        move || {
            step("a check", || {
                let judge = Judge::new(&node.lease, &node.stripes, &node.settings);
                node.places.get(id, |token| judge.allows(token)).is_some()
            })
        }
    }

    /// A check of a token that there was none of. Answers whether that is relied on.
    fn check_absence(
        self: &Arc<Self>,
        id: TokenId,
        reading: Reading,
    ) -> impl FnOnce() -> bool + use<> {
        let node = Arc::clone(self);
        move || {
            step("a check", || {
                let judge = Judge::new(&node.lease, &node.stripes, &node.settings);
                judge.allows_absence(node.stripes.token_stripe(id), reading)
            })
        }
    }

    /// What the task that follows the log does with an answer.
    fn learned(&self, asked_at: Moment) -> Learned<'_> {
        let Self { lease, stripes, settings, .. } = self;
        Learned { lease, stripes, settings, asked_at }
    }
}

fn line(scope: ChangeTarget, seq: u64) -> ChangeEntry {
    ChangeEntry { at: LogPosition { seq: ChangeSeq::new(seq), nonce: seq }, scope }
}

fn read(as_of: u64, history: u32, started: Moment) -> Reading {
    Reading { as_of: ChangeSeq::new(as_of), history, started }
}

fn alice() -> Owner {
    static ALICE: LazyLock<Owner> = LazyLock::new(|| Owner::new("alice").expect("an owner"));
    ALICE.clone()
}

fn id(number: u128) -> TokenId {
    format!("018f3c1e-7a2b-8c4d-9e5f-{number:012x}").parse().expect("an id")
}

/// Too long ago for anything.
fn past() -> Moment {
    Moment::from_words([1, 0])
}

/// What no clock reaches: always fresh.
fn future() -> Moment {
    Moment::from_words([u64::MAX, i64::MAX.cast_unsigned()])
}

/// Too long ago by the monotonic clock alone.
fn past_awake() -> Moment {
    Moment::from_words([1, i64::MAX.cast_unsigned()])
}

/// Too long ago by the wall clock alone: the machine has slept since.
fn past_asleep() -> Moment {
    Moment::from_words([u64::MAX, 0])
}
