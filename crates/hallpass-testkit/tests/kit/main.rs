//! Tests of the test kit, with the store in memory.

mod acting;
mod faults;
mod notifications;
mod production;
