//! The models. Each has two or three threads and an invariant.

mod epochs;
mod lease;
mod owners;
mod requirements;
mod slots;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use hallpass_core::__private::Interner;
use hallpass_core::store::{
    ChangeEntry, ChangeSeq, ChangeTarget, LogPosition, Secrets, StoredToken,
};
use hallpass_core::{Digest, Owner, TokenId, TokenRecord};

use crate::dual_instant::{DualInstant, Lease};
use crate::entry::{Entry, Reading};
use crate::freshness::{FreshnessCheck, LogBatch};
use crate::invalidation::Invalidation;
use crate::mutation::step;
use crate::positive::SlotTable;
use crate::settings::CacheSettings;

/// A few threads, and an invariant that must hold for every interleaving of their steps.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// The invariant.
    pub name: &'static str,
    pub(crate) run: fn(),
}

/// All models.
pub const MODELS: &[Model] = &[
    lease::A_TOKENS_CHANGE,
    lease::A_TOKENS_CHANGE_AFTER_SLEEP,
    lease::AN_OWNERS_CHANGE,
    lease::THE_FIRST_READ_OF_THE_LOG,
    lease::A_TOKEN_IS_INSERTED,
    epochs::THE_STRIPE_OF_A_TOKEN_IS_RESET,
    epochs::THE_STRIPE_OF_AN_OWNER_IS_RESET,
    epochs::THE_STRIPE_OF_AN_ABSENCE_IS_RESET,
    epochs::MIN_SEQ_IS_LOWERED,
    epochs::A_LOAD_STARTS_DURING_A_RESET,
    epochs::A_LOAD_STARTS_BEFORE_AN_EPOCH,
    epochs::A_LOAD_STARTS_IN_AN_EPOCH,
    owners::A_CHANGE_IS_LOGGED,
    owners::A_CHANGE_IS_BELOW_THE_FIRST_READ,
    owners::A_CHANGE_STARTS_AN_EPOCH,
    owners::AN_EPOCH_RESETS_THE_STRIPE,
    requirements::TWO_CONCURRENT_CHECKS,
    slots::A_TOKEN_IS_EVICTED,
    slots::A_TOKEN_IS_INSERTED_TWICE,
];

/// The lock-free parts of a node's cache.
struct Node {
    invalidation: Invalidation,
    lease: Lease,
    slots: SlotTable,
    settings: CacheSettings,
}

impl Node {
    /// Creates a node whose staleness limit is zero, so that only an instant in the future is
    /// fresh.
    fn new() -> Arc<Self> {
        Arc::new(Self {
            invalidation: Invalidation::new(),
            lease: Lease::new(),
            slots: SlotTable::new(),
            settings: CacheSettings::default().max_staleness(Duration::ZERO).max_age(Duration::MAX),
        })
    }

    fn entry(&self, id: TokenId, reading: Reading) -> Entry {
        let record = TokenRecord::new(id, alice(), "ci", jiff::Timestamp::UNIX_EPOCH);
        let current = Digest::from_parts("sha256-v1", &[0; 32]).expect("a digest has 32 bytes");
        let secrets = Secrets { current, previous: None };
        Entry::new(StoredToken { record, secrets }, &Interner::new(), reading, &self.invalidation)
    }

    /// Returns a check of a cached token, with the production code. The check returns whether it
    /// accepts the token.
    fn check(self: &Arc<Self>, id: TokenId) -> impl FnOnce() -> bool + use<> {
        let node = Arc::clone(self);
        move || {
            step("a check", || {
                let freshness =
                    FreshnessCheck::new(&node.lease, &node.invalidation, &node.settings);
                node.slots.get(id, |token| freshness.allows(token)).is_some()
            })
        }
    }

    /// Returns a check of a token that is cached as absent. The check returns whether it relies on
    /// that.
    fn check_absence(
        self: &Arc<Self>,
        id: TokenId,
        reading: Reading,
    ) -> impl FnOnce() -> bool + use<> {
        let node = Arc::clone(self);
        move || {
            step("a check", || {
                let freshness =
                    FreshnessCheck::new(&node.lease, &node.invalidation, &node.settings);
                freshness.allows_absence(node.invalidation.token_stripe(id), reading)
            })
        }
    }

    /// Returns a batch of log entries that was requested at the given time, as the task that
    /// follows the log creates it.
    fn log_batch(&self, asked_at: DualInstant) -> LogBatch<'_> {
        let Self { lease, invalidation, .. } = self;
        LogBatch { lease, invalidation, asked_at }
    }
}

fn line(target: ChangeTarget, seq: u64) -> ChangeEntry {
    ChangeEntry { position: LogPosition { seq: ChangeSeq::new(seq), nonce: seq }, target }
}

fn read(as_of: u64, epoch: u32, started: DualInstant) -> Reading {
    Reading { as_of: ChangeSeq::new(as_of), epoch, started }
}

fn alice() -> Owner {
    static ALICE: LazyLock<Owner> = LazyLock::new(|| Owner::new("alice").expect("an owner"));
    ALICE.clone()
}

fn id(number: u128) -> TokenId {
    format!("018f3c1e-7a2b-8c4d-9e5f-{number:012x}").parse().expect("an id")
}

/// Returns an instant that is too old by both clocks.
fn past() -> DualInstant {
    DualInstant::from_words([1, 0])
}

/// Returns an instant that neither clock reaches, so that it is always fresh.
fn future() -> DualInstant {
    DualInstant::from_words([u64::MAX, i64::MAX.cast_unsigned()])
}

/// Returns an instant that is too old by the monotonic clock only.
fn past_awake() -> DualInstant {
    DualInstant::from_words([1, i64::MAX.cast_unsigned()])
}

/// Returns an instant that is too old by the wall clock only, as after a suspension of the machine.
fn past_asleep() -> DualInstant {
    DualInstant::from_words([u64::MAX, 0])
}
