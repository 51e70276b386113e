//! Stores and caches with faults that a test sets.

mod faults;
mod gate;
mod operation;
mod stale_cache;
mod store;

pub use self::{
    faults::{Faults, FaultsOn},
    gate::Gate,
    operation::Operation,
    stale_cache::StaleCache,
    store::FaultyStore,
};
