//! The atomics of the code that a model checker verifies.
//!
//! The tests in `tests/loom` compile the same source files with another `sync` module, and try
//! every order in which the steps of several threads can happen.

pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
