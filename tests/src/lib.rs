//! What the end-to-end tests share.

pub mod oracle;

pub use hallpass_testkit::conformance::samples as tokens;
