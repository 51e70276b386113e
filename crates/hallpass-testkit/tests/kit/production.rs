//! What acts without a token must not be in what is shipped.

use std::process::Command;

/// The features that the normal dependencies of these packages turn on, as cargo resolves them.
fn features(packages: &[&str]) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "tree",
        "--offline",
        "--all-features",
        "--edges",
        "normal,features",
        "--prefix",
        "none",
    ]);
    cargo.args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
    for package in packages {
        cargo.args(["--package", package]);
    }
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo prints text")
}

const TESTING: [&str; 2] =
    [r#"hallpass-core feature "testing""#, r#"hallpass-tower feature "testing""#];

#[test]
fn the_facade_never_turns_on_what_acts_without_a_token() {
    let shipped = features(&["hallpass"]);
    let tested = features(&["hallpass-testkit"]);
    for feature in TESTING {
        assert!(tested.contains(feature), "cargo names it so");
        assert!(!shipped.contains(feature), "{shipped}");
    }
}
