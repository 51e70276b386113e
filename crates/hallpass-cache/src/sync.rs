//! The types that threads share without a lock.
//!
//! The tests in `tests/loom` compile the same source files with another `sync` module, and try
//! every order in which the steps of several threads can happen.

pub(crate) use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU32, AtomicU64, Ordering};

pub(crate) use arc_swap::{ArcSwapOption, Guard};
