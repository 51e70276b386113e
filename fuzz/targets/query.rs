#![cfg_attr(fuzzing, no_main)]
//! The fuzz target `query`.

hallpass_fuzz::target!(query);
