//! Declares the `cfg` that cargo-fuzz sets, so that the compiler does not warn about it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(fuzzing)");
}
