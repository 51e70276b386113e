//! The feature that authenticates requests without a token must not be part of production builds.

use std::process::Command;

/// Returns the features that the normal dependencies of these packages enable, as cargo resolves
/// them.
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
fn facade_never_enables_acting_without_a_token() {
    let shipped = features(&["hallpass"]);
    let tested = features(&["hallpass-testkit"]);
    for feature in TESTING {
        assert!(tested.contains(feature), "cargo prints the feature in this form");
        assert!(!shipped.contains(feature), "{shipped}");
    }
}
