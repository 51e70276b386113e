use std::fs;
use std::net::TcpListener;

use ::redis::{Client, TlsCertificates};
use hallpass_redis::{ConnectError, RedisSettings, RedisStore};
use hallpass_servers::{Package, Redis};

use crate::authority::{Authority, Certificate};
use crate::node::{outlives_bad_certificates, said};
use crate::{PASSWORD, bad, one_check};

/// A server that takes TLS on a second port, and its URL there.
pub(crate) struct Encrypted {
    server: Redis,
    url: String,
    shown: String,
    key: String,
}

impl Encrypted {
    /// The files are in the folder of that authority.
    pub(crate) fn start(authority: &Authority, certificate: &Certificate) -> Self {
        Package::REDIS.ensure_installed().unwrap();
        let file = |name: &str| authority.folder().join(name).display().to_string();
        let (shown, key) = (file("server.pem"), file("server.key"));
        fs::write(&shown, &certificate.shown).unwrap();
        fs::write(&key, &certificate.key).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let files = ["--tls-cert-file", &shown, "--tls-key-file", &key];
        let more = ["--tls-auth-clients", "no", "--tls-port", &port.to_string()];
        let server = Redis::start_with(&[files, more].concat()).unwrap();
        let password = format!(">{PASSWORD}");
        server.run(&["ACL", "SETUSER", "app", "on", &password, "~*", "&*", "+@all"]).unwrap();
        let url = format!("rediss://app:{PASSWORD}@127.0.0.1:{port}/");
        Self { server, url, shown, key }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn show(&self, certificate: &Certificate) {
        fs::write(&self.shown, &certificate.shown).unwrap();
        fs::write(&self.key, &certificate.key).unwrap();
        let set = ["CONFIG", "SET", "tls-cert-file", &self.shown, "tls-key-file", &self.key];
        self.server.run(&set).unwrap();
        // By type, not by user: a connection that is being made has no user yet.
        for kind in ["normal", "pubsub"] {
            self.server.run(&["CLIENT", "KILL", "TYPE", kind]).unwrap();
        }
    }

    /// The store, by a client that trusts nobody but that authority.
    async fn open(&self, authority: &Authority) -> Result<RedisStore, ConnectError> {
        let root_cert = Some(authority.pem().into_bytes());
        let trusted = TlsCertificates { client_tls: None, root_cert };
        let client = Client::build_with_tls(self.url.as_str(), trusted).expect("a client");
        RedisStore::with_client(&client, RedisSettings::default()).await
    }
}

#[tokio::test]
async fn a_store_is_opened_whose_server_an_authority_vouches_for_the_systems_or_ones_own() {
    let authority = Authority::new("ours");
    let server = Encrypted::start(&authority, &authority.certify("127.0.0.1"));
    server.open(&authority).await.unwrap();
    let output = one_check(&server.url, &authority.file());
    assert_eq!(output.stdout, b"in\n", "{output:?}");
    let output = one_check(&server.url, &Authority::new("another").file());
    assert!(!output.status.success(), "it trusts anybody");
}

#[tokio::test]
async fn no_store_is_opened_whose_server_shows_what_is_not_good() {
    let authority = Authority::new("ours");
    let server = Encrypted::start(&authority, &authority.certify("127.0.0.1"));
    for (why, certificate) in bad(&authority) {
        server.show(&certificate);
        let refused = server.open(&authority).await.expect_err(why);
        assert!(matches!(refused, ConnectError::Unreachable { .. }), "{why}: {refused:?}");
        assert!(said(&refused).contains(why), "{why}: {}", said(&refused));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_servers_certificate_is_not_good_all_is_503() {
    let authority = Authority::new("ours");
    let server = Encrypted::start(&authority, &authority.certify("127.0.0.1"));
    let store = server.open(&authority).await.unwrap();
    outlives_bad_certificates(store, &authority, |certificate| server.show(certificate)).await;
}
