//! The stores over TLS: with an authority of one's own, and with certificates that are good no
//! more.

mod authority;
mod cli;
mod node;
mod postgres;
mod redis;

use std::process::{Command, Output};

use crate::authority::{Authority, Certificate};

/// It is in each URL here, and in nothing that is said.
const PASSWORD: &str = "s3cr3t";

/// The certificates that a client must refuse, and what is said of each.
fn bad(authority: &Authority) -> [(&'static str, Certificate); 3] {
    [
        ("expired", authority.expired("127.0.0.1")),
        ("not valid for name", authority.certify("elsewhere.example")),
        ("UnknownIssuer", Authority::new("another").certify("127.0.0.1")),
    ]
}

/// What a program says that opens the store at this URL; the system's authorities are those of that
/// file.
fn one_check(url: &str, authorities: &str) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_one-check"));
    program.arg(url).env("SSL_CERT_FILE", authorities).env_remove("SSL_CERT_DIR");
    let output = program.output().expect("the program runs");
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    assert!(!String::from_utf8_lossy(&said).contains(PASSWORD), "the password is said");
    output
}
