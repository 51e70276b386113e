//! What threads share without a lock: atomics, and places that are swapped whole.
//!
//! The model checker in `tests/loom` compiles the files that use these with a `sync` of its own,
//! and tries every order of their steps.

pub(crate) use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU32, AtomicU64, Ordering};

pub(crate) use arc_swap::{ArcSwapOption, Guard};
