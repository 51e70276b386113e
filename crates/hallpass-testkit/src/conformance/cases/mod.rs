//! One file for each promise.

pub mod calls;
pub mod change;
pub(crate) mod check;
pub mod delete;
pub mod drops;
pub mod edges;
pub mod find;
pub mod followers;
pub mod handles;
pub mod insert;
pub mod limits;
pub mod list;
pub mod log;
pub mod pages;
pub mod prune;
pub mod races;
pub mod snapshots;
pub mod touch;
