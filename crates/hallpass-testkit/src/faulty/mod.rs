//! Stores and caches that misbehave when a test says so.

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
