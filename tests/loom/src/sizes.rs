//! The smallest sizes with which threads still compete for the same slot or stripe.

pub(crate) const STRIPES: usize = 1;

pub(crate) const WAYS: usize = 2;

pub(crate) const MIN_SETS: u64 = 1;
