//! Helpers that the end-to-end tests share.

pub mod built;
pub mod late;
pub mod management;
pub mod nodes;
pub mod oracle;
pub mod service;
pub mod web;

pub use hallpass_testkit::conformance::samples as tokens;
