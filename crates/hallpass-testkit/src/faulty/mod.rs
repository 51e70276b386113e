//! A store that does what a test says.

mod faults;
mod gate;
mod store;
mod verb;

pub use self::{
    faults::{Faults, FaultsOn},
    gate::Gate,
    store::FaultyStore,
    verb::Verb,
};
