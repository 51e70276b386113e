#![cfg_attr(fuzzing, no_main)]
//! The fuzz target `path`.

hallpass_fuzz::target!(path);
