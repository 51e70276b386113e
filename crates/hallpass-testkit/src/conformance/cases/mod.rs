//! The cases. Each group of promises has its own file.

pub mod audit;
pub mod calls;
pub mod cancellation;
pub(crate) mod check;
pub mod delete;
pub mod edges;
pub mod followers;
pub mod get;
pub mod handles;
pub mod insert;
pub mod limits;
pub mod list;
pub mod log;
pub mod pages;
pub mod prune;
pub mod prune_log;
pub mod races;
pub mod revoke;
pub mod snapshots;
pub mod update;
pub mod uses;
