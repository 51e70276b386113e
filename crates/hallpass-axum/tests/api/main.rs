//! Tests of the management API over HTTP, with a file for each endpoint and for each shared
//! feature.

mod support;

mod audit;
mod bodies;
mod callers;
mod confirmation;
mod copy;
mod credentials;
mod cross_site;
mod current;
mod delete;
mod delete_all;
mod delete_many;
mod events;
mod expiry;
mod issue;
mod list;
mod metadata;
mod mount;
mod openapi;
mod outages;
mod preconditions;
mod previous_secret;
mod regenerate;
mod revoke;
mod revoke_many;
mod revoke_owner;
mod routes;
mod scope_catalog;
mod scopes;
mod show;
mod step_up;
mod update;
