//! Helpers that the end-to-end tests share.

pub mod built;
pub mod late;
pub mod management;
pub mod nodes;
pub mod oracle;
pub mod service;
pub mod web;

pub use hallpass_testkit::conformance::samples as tokens;

/// Returns a text with another last character. It is a mistyped token, because the checksum of a
/// token is at its end.
#[must_use]
pub fn mistyped(text: &str) -> String {
    let (rest, last) = text.split_at(text.len() - 1);
    format!("{rest}{}", if last == "0" { "1" } else { "0" })
}
