use std::fs;
use std::net::TcpListener;

use ::redis::{Client, TlsCertificates};
use hallpass_redis::{ConnectError, RedisStore};
use hallpass_servers::{Package, Redis};

use crate::authority::{Authority, Certificate};
use crate::node::{error_text, recovers_from_invalid_certificates};
use crate::{PASSWORD, invalid_certificates, one_check};

/// A server that accepts TLS on a second port.
pub(crate) struct Encrypted {
    server: Redis,
    url: String,
    /// The path of the certificate.
    certificate: String,
    /// The path of the private key.
    key: String,
}

impl Encrypted {
    /// Starts a server with a certificate. Its files are in the folder of the authority.
    pub(crate) fn start(authority: &Authority, certificate: &Certificate) -> Self {
        Package::REDIS.ensure_installed().unwrap();
        let file = |name: &str| authority.folder().join(name).display().to_string();
        let (certificate_file, key) = (file("server.pem"), file("server.key"));
        fs::write(&certificate_file, &certificate.pem).unwrap();
        fs::write(&key, &certificate.key).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let files = ["--tls-cert-file", &certificate_file, "--tls-key-file", &key];
        let more = ["--tls-auth-clients", "no", "--tls-port", &port.to_string()];
        let server = Redis::start_with(&[files, more].concat()).unwrap();
        let password = format!(">{PASSWORD}");
        server.run(&["ACL", "SETUSER", "app", "on", &password, "~*", "&*", "+@all"]).unwrap();
        let url = format!("rediss://app:{PASSWORD}@127.0.0.1:{port}/");
        Self { server, url, certificate: certificate_file, key }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn show(&self, certificate: &Certificate) {
        fs::write(&self.certificate, &certificate.pem).unwrap();
        fs::write(&self.key, &certificate.key).unwrap();
        let set = ["CONFIG", "SET", "tls-cert-file", &self.certificate, "tls-key-file", &self.key];
        self.server.run(&set).unwrap();
        // Selected by type, because a connection that is being established has no user yet.
        for kind in ["normal", "pubsub"] {
            self.server.run(&["CLIENT", "KILL", "TYPE", kind]).unwrap();
        }
    }

    /// Opens the store with a client that trusts only the given authority.
    async fn open(&self, authority: &Authority) -> Result<RedisStore, ConnectError> {
        let root_cert = Some(authority.pem().into_bytes());
        let trusted = TlsCertificates { client_tls: None, root_cert };
        let client = Client::build_with_tls(self.url.as_str(), trusted).expect("a client");
        RedisStore::from_client(&client).await
    }
}

#[tokio::test]
async fn server_with_a_trusted_certificate_is_accepted() {
    let authority = Authority::new("ours");
    let server = Encrypted::start(&authority, &authority.certify("127.0.0.1"));
    server.open(&authority).await.unwrap();
    let output = one_check(&server.url, &authority.file());
    assert_eq!(output.stdout, b"in\n", "{output:?}");
    let output = one_check(&server.url, &Authority::new("another").file());
    assert!(!output.status.success(), "the client trusts an unknown authority");
}

#[tokio::test]
async fn server_with_an_invalid_certificate_is_rejected() {
    let authority = Authority::new("ours");
    let server = Encrypted::start(&authority, &authority.certify("127.0.0.1"));
    for (why, certificate) in invalid_certificates(&authority) {
        server.show(&certificate);
        let rejected = server.open(&authority).await.expect_err(why);
        assert!(matches!(rejected, ConnectError::Unreachable { .. }), "{why}: {rejected:?}");
        assert!(error_text(&rejected).contains(why), "{why}: {}", error_text(&rejected));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_get_503_while_the_certificate_is_invalid() {
    let authority = Authority::new("ours");
    let server = Encrypted::start(&authority, &authority.certify("127.0.0.1"));
    let store = server.open(&authority).await.unwrap();
    recovers_from_invalid_certificates(store, &authority, |certificate| server.show(certificate))
        .await;
}
