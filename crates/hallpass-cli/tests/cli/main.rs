//! Tests that run the `hallpass` binary with a SQLite file, as people and scripts do.

mod harness;

mod audit;
mod change;
mod ensure;
mod inspect;
mod issue;
mod look;
mod page;
mod remove;
mod scanner;
mod secrets;
mod store;
mod take_back;
