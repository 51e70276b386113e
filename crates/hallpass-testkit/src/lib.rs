//! For tests of and around [Hallpass](https://docs.rs/hallpass).
