//! A whole service.
fn main() {}
