#![cfg_attr(fuzzing, no_main)]
//! The fuzz target `cursor`.

hallpass_fuzz::target!(cursor);
