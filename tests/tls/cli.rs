//! The command line over TLS, with each of its TLS features.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::authority::Authority;
use crate::{PASSWORD, postgres, redis};

/// The command, built with a feature.
struct Cli {
    folder: TempDir,
}

impl Cli {
    /// Builds it, and copies it, because each build has the same path.
    fn build(feature: &str) -> Self {
        let feature = format!("hallpass-cli/{feature}");
        let built = hallpass_tests::built::program_with("--bin", "hallpass", &feature);
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::copy(built, folder.path().join("hallpass")).expect("it is there");
        Self { folder }
    }

    /// Runs a command, and returns whether it succeeded and its whole output.
    fn run(&self, command: &str, store: &str, authorities: &str) -> (bool, String) {
        let path: PathBuf = self.folder.path().join("hallpass");
        let mut program = Command::new(path);
        program.arg(command).env("HALLPASS_STORE", store);
        program.env("SSL_CERT_FILE", authorities).env_remove("SSL_CERT_DIR");
        let output = program.output().expect("it starts");
        let said = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
        assert!(!said.contains(PASSWORD), "the output contains the password");
        (output.status.success(), said)
    }
}

#[test]
fn command_line_works_over_tls_with_each_feature() {
    let (authority, other) = (Authority::new("ours"), Authority::new("another"));
    let certificate = authority.certify("127.0.0.1");
    let sql = postgres::start(&certificate);
    let keys = redis::Encrypted::start(&authority, &certificate);
    for feature in ["rustls", "native-tls"] {
        let cli = Cli::build(feature);
        for (store, distrusting) in [
            (postgres::verified(&sql, &authority), postgres::verified(&sql, &other)),
            (keys.url().to_owned(), keys.url().to_owned()),
        ] {
            for command in ["migrate", "list"] {
                let (done, said) = cli.run(command, &store, &authority.file());
                assert!(done, "{feature}: {said}");
            }
            let (done, said) = cli.run("list", &distrusting, &other.file());
            assert!(!done, "{feature} accepts an untrusted certificate: {said}");
        }
    }
}
