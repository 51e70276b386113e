//! Tests the quickstart example as a black box: the real program in its own process and folder,
//! with real HTTP clients.

mod harness;

mod canary;
mod cluster;
mod confirmation;
mod crash;
mod options;
mod owners;
mod pages;
mod problems;
mod projects;
mod restart;
mod revoking;
mod routes;
mod sign_in;
mod stopping;
mod stores;
mod story;
mod two_processes;
mod welcome;
