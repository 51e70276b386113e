//! The promise of the cache, held against what really happens: operations on several nodes of one
//! store, on good days and on bad ones.

mod action;
mod days;
mod history;
mod node;
mod run;
