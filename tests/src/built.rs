//! Builds the programs of other packages with cargo.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Builds a program, such as `--bin hallpass`, and returns its path.
///
/// It uses the profile of this test and the same packages and features as `cargo xtask test`, so
/// that the program is already built when that command runs the tests.
///
/// # Panics
///
/// Panics if the program does not build.
#[must_use]
pub fn program(kind: &str, name: &str) -> PathBuf {
    build(kind, name, &all_features())
}

/// Builds a program with a further feature, such as `hallpass-cli/rustls`.
///
/// # Panics
///
/// Panics if the program does not build.
#[must_use]
pub fn program_with(kind: &str, name: &str, feature: &str) -> PathBuf {
    build(kind, name, &format!("{},{feature}", all_features()))
}

fn build(kind: &str, name: &str, features: &str) -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        // Without an example, cargo would leave out the features that tests and examples require
        // of a dependency, and build it once more.
        .args(["build", "--quiet", "--workspace", "--example", "minimal", kind, name])
        .args(["--features", features])
        .args(["--message-format", "json-render-diagnostics", "--profile", &profile()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit());
    forget_this_package(&mut cargo);
    let built = cargo.output().expect("cargo starts");
    assert!(built.status.success(), "{name} does not build");
    let messages = String::from_utf8(built.stdout).expect("cargo's output is UTF-8");
    messages
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("cargo's output is JSON"))
        .find(|message| message["target"]["name"] == name && message["executable"].is_string())
        .and_then(|message| Some(PathBuf::from(message["executable"].as_str()?)))
        .expect("cargo reports the path of the program")
}

/// Returns the features of all packages, except those that link a program with a TLS library. They
/// would change the drivers in every other program.
fn all_features() -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--format-version", "1"]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit());
    forget_this_package(&mut cargo);
    let described = cargo.output().expect("cargo starts").stdout;
    let described: Value = serde_json::from_slice(&described).expect("cargo's output is JSON");
    let mut features = Vec::new();
    for package in described["packages"].as_array().expect("packages") {
        let name = package["name"].as_str().expect("a name");
        let all = package["features"].as_object().expect("features").keys();
        features.extend(all.map(|feature| format!("{name}/{feature}")));
    }
    let tls = ["hallpass-cli/native-tls", "hallpass-cli/rustls", "hallpass-tls-tests/tls"];
    features.retain(|name| !tls.contains(&name.as_str()));
    features.join(",")
}

/// Removes cargo's variables about this package, which would make build scripts run again.
fn forget_this_package(cargo: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        }) {
            cargo.env_remove(name);
        }
    }
}

/// Returns the profile of this test, derived from its folder, such as `target/debug/deps`.
fn profile() -> String {
    let test = std::env::current_exe().expect("a path");
    let folder = test.parent().and_then(|deps| deps.parent()?.file_name()).expect("a folder");
    match folder.to_str().expect("UTF-8") {
        "debug" => "dev".to_owned(),
        profile => profile.to_owned(),
    }
}
