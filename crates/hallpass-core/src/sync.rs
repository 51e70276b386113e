//! The atomics of what is proven by the model checker in `tests/loom`, which compiles the same
//! files with a `sync` of its own and tries every order in which their steps can come.

pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
