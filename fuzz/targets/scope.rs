#![cfg_attr(fuzzing, no_main)]
//! The fuzz target `scope`.

hallpass_fuzz::target!(scope);
