//! The quickstart as people and programs meet it: the real binary, in a process and a folder of its
//! own, and real clients.

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
