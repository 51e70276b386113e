//! Tests of the lifecycle and of checks, through the public API and over the store in memory. Each
//! operation has its own file. They form one program, because linking twenty programs takes long.

mod common;

mod copy;
mod delete;
mod ensure;
mod events;
mod issue;
mod leaks;
mod limits;
mod list;
mod model;
mod outages;
mod owner_limits;
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
