//! Proofs of the lock-free parts of Hallpass, by [loom]: each model runs the shipped source files
//! themselves, on atomics that come back with every value the memory model allows, in every order
//! of steps.
//!
//! A model that passes proves little unless it can fail. So each ordering that the shipped code
//! asks for is weakened, and each step is taken out of its order, one at a time ([`Twist`]); every
//! one of these has to break a promise, or is listed with the reason why it does not. See
//! `tests/orders.rs`.

// The files that are proven, as they are shipped. They reach their atomics through `crate::sync`.
#[path = "../../../crates/hallpass-cache/src/dual_instant/mod.rs"]
#[expect(dead_code, reason = "models use a part of it")]
mod dual_instant;
#[path = "../../../crates/hallpass-cache/src/entry.rs"]
#[expect(dead_code, reason = "models use a part of it")]
mod entry;
#[path = "../../../crates/hallpass-cache/src/freshness.rs"]
#[expect(dead_code, reason = "models use a part of it")]
mod freshness;
#[path = "../../../crates/hallpass-cache/src/invalidation.rs"]
#[expect(clippy::modulo_one, reason = "one stripe is enough to meet on")]
mod invalidation;
#[path = "../../../crates/hallpass-cache/src/settings.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "public where it is shipped; models use a part of it"
)]
mod settings;

// What stands around them here.
mod models;
mod positive;
mod sizes;
mod sync;
mod twist;
mod verify;

pub use self::{
    models::{MODELS, Model},
    twist::{Outcome, Site, Twist, run},
};
