use std::time::{Duration, Instant};

use hallpass_postgres::{ConnectError, PostgresStore};
use hallpass_servers::{Package, Postgres};

use crate::authority::{Authority, Certificate};
use crate::node::{error_text, recovers_from_invalid_certificates};
use crate::{PASSWORD, invalid_certificates, one_check};

pub(crate) fn start(certificate: &Certificate) -> Postgres {
    Package::POSTGRES.ensure_installed().unwrap();
    let server = Postgres::start().unwrap();
    put(&server, certificate);
    server.run("alter system set ssl = on").unwrap();
    reload(&server);
    server
}

/// Writes the certificate and the key with SQL, because the files must belong to the user of the
/// server.
fn put(server: &Postgres, certificate: &Certificate) {
    for (file, text) in [("server.crt", &certificate.pem), ("server.key", &certificate.key)] {
        let write = format!(
            "copy (select regexp_split_to_table('{text}', '\\r?\\n')) \
             to program 'umask 077 && cat > {file}'"
        );
        server.run(&write).unwrap();
    }
}

fn reload(server: &Postgres) {
    let loaded = || server.run("select pg_conf_load_time()").unwrap();
    let (before, began) = (loaded(), Instant::now());
    server.run("select pg_reload_conf()").unwrap();
    while loaded() == before {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "the server does not reload its configuration"
        );
    }
}

/// Returns a URL that requires a verified certificate with a matching host name.
pub(crate) fn verified(server: &Postgres, authority: &Authority) -> String {
    let url = server.url().replacen("postgres@", &format!("postgres:{PASSWORD}@"), 1);
    format!("{url}?sslmode=verify-full&sslrootcert={}", authority.file())
}

#[tokio::test]
async fn server_with_a_trusted_certificate_is_accepted() {
    let authority = Authority::new("ours");
    let server = start(&authority.certify("127.0.0.1"));
    let url = verified(&server, &authority);
    PostgresStore::connect(&url).await.unwrap();
    let encrypted = "select count(*) from pg_stat_ssl join pg_stat_activity using (pid) \
                     where application_name = 'hallpass' and not ssl";
    assert_eq!(server.run(encrypted).unwrap(), "0");
    let output = one_check(&url, "/nowhere");
    assert_eq!(output.stdout, b"in\n", "{output:?}");
}

#[tokio::test]
async fn server_with_an_invalid_certificate_is_rejected() {
    let authority = Authority::new("ours");
    let server = start(&authority.certify("127.0.0.1"));
    for (why, certificate) in invalid_certificates(&authority) {
        put(&server, &certificate);
        reload(&server);
        let rejected = PostgresStore::connect(&verified(&server, &authority)).await.expect_err(why);
        assert!(matches!(rejected, ConnectError::Unreachable { .. }), "{why}: {rejected:?}");
        assert!(error_text(&rejected).contains(why), "{why}: {}", error_text(&rejected));
    }
    server.run("alter system set ssl = off").unwrap();
    reload(&server);
    let rejected = PostgresStore::connect(&verified(&server, &authority)).await.unwrap_err();
    assert!(
        matches!(rejected, ConnectError::Unreachable { .. }),
        "without encryption: {rejected:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_get_503_while_the_certificate_is_invalid() {
    let authority = Authority::new("ours");
    let server = start(&authority.certify("127.0.0.1"));
    let store = PostgresStore::connect(&verified(&server, &authority)).await.unwrap();
    // A reload would leave the old certificate to a connection that is being established. A restart
    // ends such a connection, too.
    let show = |certificate: &Certificate| {
        put(&server, certificate);
        server.stop().unwrap();
        server.start_again().unwrap();
    };
    recovers_from_invalid_certificates(store, &authority, show).await;
}
