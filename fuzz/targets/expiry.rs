#![cfg_attr(fuzzing, no_main)]
//! The fuzz target `expiry`.

hallpass_fuzz::target!(expiry);
