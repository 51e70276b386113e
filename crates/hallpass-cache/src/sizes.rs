//! How large the fixed tables are. The model checker in `tests/loom` has a `sizes` of its own: it tries every order of
//! steps, and so has to keep them few.

/// How many stripes there are of each kind. Two ids on one stripe cost a reload now and then, never safety.
pub(crate) const STRIPES: usize = 4096;

/// How many tokens whose ids fall on the same set of slots have a place at once.
pub(crate) const WAYS: usize = 4;

/// The least number of sets of slots.
pub(crate) const FEWEST_SETS: u64 = 4;
