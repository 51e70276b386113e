//! As few of everything as can still meet.

pub(crate) const STRIPES: usize = 1;

pub(crate) const WAYS: usize = 2;

pub(crate) const FEWEST_SETS: u64 = 1;
