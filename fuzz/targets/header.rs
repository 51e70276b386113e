#![cfg_attr(fuzzing, no_main)]
//! The fuzz target `header`.

hallpass_fuzz::target!(header);
