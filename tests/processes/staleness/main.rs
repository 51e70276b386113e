//! Tests the staleness guarantee of the cache: concurrent operations run on several nodes of one
//! store, with and without faults, and a checker verifies the recorded history.

mod action;
mod history;
mod node;
mod outages;
mod run;
