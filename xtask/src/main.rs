//! What a person runs here.
fn main() {}
