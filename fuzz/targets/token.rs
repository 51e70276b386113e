#![cfg_attr(fuzzing, no_main)]
//! The fuzz target `token`.

hallpass_fuzz::target!(token);
