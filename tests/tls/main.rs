//! Tests the stores over TLS, with a private certificate authority and with invalid certificates.

mod authority;
mod cli;
mod node;
mod postgres;
mod redis;

use std::process::{Command, Output};

use crate::authority::{Authority, Certificate};

/// The password in every URL. No output and no error may contain it.
const PASSWORD: &str = "s3cr3t";

/// Returns the certificates that a client must reject, each with a part of the error message.
fn invalid_certificates(authority: &Authority) -> [(&'static str, Certificate); 3] {
    [
        ("expired", authority.expired("127.0.0.1")),
        ("not valid for name", authority.certify("elsewhere.example")),
        ("UnknownIssuer", Authority::new("another").certify("127.0.0.1")),
    ]
}

/// Runs the program `one-check`, which opens the store at a URL, and returns its output.
/// `authorities` is the file that replaces the system's certificate authorities.
fn one_check(url: &str, authorities: &str) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_one-check"));
    program.arg(url).env("SSL_CERT_FILE", authorities).env_remove("SSL_CERT_DIR");
    let output = program.output().expect("the program runs");
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    assert!(!String::from_utf8_lossy(&text).contains(PASSWORD), "the output contains the password");
    output
}
