//! The sizes of the fixed tables. The model checker in `tests/loom` tries every order of steps, so
//! it replaces this module with smaller sizes.

/// The number of stripes of each kind.
pub(crate) const STRIPES: usize = 4096;

/// The number of places in a set of slots.
pub(crate) const WAYS: usize = 4;

/// The minimum number of sets of slots.
pub(crate) const MIN_SETS: u64 = 4;
