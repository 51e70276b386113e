//! The page, its files and its script for the host's own page, as a browser asks for them.

mod document;
mod host;
mod support;
