//! The page, its files and its script for the host's own page, as a browser requests them.

mod document;
mod host;
mod support;
