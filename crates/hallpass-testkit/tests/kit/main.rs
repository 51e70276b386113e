//! The kit itself, on the store in memory.

mod acting;
mod faults;
mod nudges;
mod production;
