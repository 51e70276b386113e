//! Programs of other packages, as cargo builds them.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Builds a program, such as `--bin hallpass`, and answers where it is.
///
/// In the profile of this very test, and with the packages and features that `cargo xtask test`
/// builds, so that there is nothing left to build.
///
/// # Panics
///
/// It does not build.
#[must_use]
pub fn program(kind: &str, name: &str) -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--quiet", "--workspace", "--features", &features(), kind, name])
        .args(["--message-format", "json-render-diagnostics", "--profile", &profile()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit());
    forget_this_package(&mut cargo);
    let built = cargo.output().expect("cargo starts");
    assert!(built.status.success(), "{name} does not build");
    let messages = String::from_utf8(built.stdout).expect("cargo speaks UTF-8");
    messages
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("cargo speaks JSON"))
        .find(|message| message["target"]["name"] == name && message["executable"].is_string())
        .and_then(|message| Some(PathBuf::from(message["executable"].as_str()?)))
        .expect("cargo says where the binary is")
}

/// The features of all packages, but for those with which the command line is linked with a TLS
/// library: they would change what the drivers do in every other program.
fn features() -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--format-version", "1"]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit());
    forget_this_package(&mut cargo);
    let described = cargo.output().expect("cargo starts").stdout;
    let described: Value = serde_json::from_slice(&described).expect("cargo speaks JSON");
    let mut features = Vec::new();
    for package in described["packages"].as_array().expect("packages") {
        let name = package["name"].as_str().expect("a name");
        let all = package["features"].as_object().expect("features").keys();
        features.extend(all.map(|feature| format!("{name}/{feature}")));
    }
    features.retain(|name| name != "hallpass-cli/native-tls" && name != "hallpass-cli/rustls");
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

/// The profile that this test is built in, by the folder that it is in: `target/debug/deps`.
fn profile() -> String {
    let test = std::env::current_exe().expect("a path");
    let folder = test.parent().and_then(|deps| deps.parent()?.file_name()).expect("a folder");
    match folder.to_str().expect("UTF-8") {
        "debug" => "dev".to_owned(),
        profile => profile.to_owned(),
    }
}
