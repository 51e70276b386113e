//! Model checks of the lock-free parts of Hallpass with [loom]. Each model runs the shipped source
//! files. Loom tries every interleaving of the threads and every value that the memory model allows
//! an atomic to return.
//!
//! A model that passes proves little unless it can fail. The tests therefore change one thing at a
//! time ([`Mutation`]): they weaken each memory ordering of the shipped code and move each read and
//! write out of its order. Each mutation must violate an invariant, or `tests/orders.rs` must list
//! the reason why it does not.

// The source files under test, as they are shipped. They use the atomics of `crate::sync`.
#[path = "../../../crates/hallpass-cache/src/dual_instant/mod.rs"]
#[expect(dead_code, reason = "the models use only a part of it")]
mod dual_instant;
#[path = "../../../crates/hallpass-cache/src/entry.rs"]
#[expect(dead_code, reason = "the models use only a part of it")]
mod entry;
#[path = "../../../crates/hallpass-cache/src/freshness.rs"]
#[expect(dead_code, reason = "the models use only a part of it")]
mod freshness;
#[path = "../../../crates/hallpass-cache/src/invalidation.rs"]
#[expect(clippy::modulo_one, reason = "the models use one stripe, so that all keys share it")]
mod invalidation;
#[path = "../../../crates/hallpass-cache/src/settings.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "it is public in its crate, and the models use only a part of it"
)]
mod settings;

// The parts that replace the rest of the crates.
mod models;
mod mutation;
mod positive;
mod sizes;
mod sync;
mod verify;

pub use self::{
    models::{MODELS, Model},
    mutation::{Mutation, Outcome, Site, run},
};
