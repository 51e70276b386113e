//! The lifecycle and the check, through the public API, over the real store in memory: a file for
//! each verb. One program, because twenty would be linked twenty times.

mod common;

mod canary;
mod copy;
mod delete;
mod ensure;
mod events;
mod issue;
mod limits;
mod list;
mod model;
mod outages;
mod owners;
mod peppers;
mod prune;
mod races;
mod recheck;
mod regenerate;
mod revoke;
mod settings;
mod shutdown;
mod update;
mod uses;
mod verify;
