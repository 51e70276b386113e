//! The `hallpass` command as people and scripts meet it: the real binary on a real file.

mod harness;

mod audit;
mod change;
mod ensure;
mod inspect;
mod issue;
mod look;
mod remove;
mod scanner;
mod secrets;
mod store;
mod take_back;
