use std::time::{Duration, Instant};

use hallpass_postgres::{ConnectError, PostgresStore};
use hallpass_servers::{Package, Postgres};

use crate::authority::{Authority, Certificate};
use crate::node::{outlives_bad_certificates, said};
use crate::{PASSWORD, bad, one_check};

pub(crate) fn start(certificate: &Certificate) -> Postgres {
    Package::POSTGRES.ensure_installed().unwrap();
    let server = Postgres::start().unwrap();
    put(&server, certificate);
    server.run("alter system set ssl = on").unwrap();
    reload(&server);
    server
}

/// Writes the server's files as the server does, whose user they have to belong to.
fn put(server: &Postgres, certificate: &Certificate) {
    for (file, text) in [("server.crt", &certificate.shown), ("server.key", &certificate.key)] {
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
        assert!(began.elapsed() < Duration::from_secs(20), "the server does not read its files");
    }
}

/// Asks for all that can be asked for.
pub(crate) fn verified(server: &Postgres, authority: &Authority) -> String {
    let url = server.url().replacen("hallpass@", &format!("hallpass:{PASSWORD}@"), 1);
    format!("{url}?sslmode=verify-full&sslrootcert={}", authority.file())
}

#[tokio::test]
async fn a_store_is_opened_whose_server_the_authority_vouches_for() {
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
async fn no_store_is_opened_whose_server_shows_what_is_not_good() {
    let authority = Authority::new("ours");
    let server = start(&authority.certify("127.0.0.1"));
    for (why, certificate) in bad(&authority) {
        put(&server, &certificate);
        reload(&server);
        let refused = PostgresStore::connect(&verified(&server, &authority)).await.expect_err(why);
        assert!(matches!(refused, ConnectError::Unreachable { .. }), "{why}: {refused:?}");
        assert!(said(&refused).contains(why), "{why}: {}", said(&refused));
    }
    server.run("alter system set ssl = off").unwrap();
    reload(&server);
    let refused = PostgresStore::connect(&verified(&server, &authority)).await.unwrap_err();
    assert!(matches!(refused, ConnectError::Unreachable { .. }), "in plain text: {refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_servers_certificate_is_not_good_all_is_503() {
    let authority = Authority::new("ours");
    let server = start(&authority.certify("127.0.0.1"));
    let store = PostgresStore::connect(&verified(&server, &authority)).await.unwrap();
    // A connection that is being made while the server reads its files would keep the old
    // certificate. A restart ends it too.
    let show = |certificate: &Certificate| {
        put(&server, certificate);
        server.stop().unwrap();
        server.start_again().unwrap();
    };
    outlives_bad_certificates(store, &authority, show).await;
}
