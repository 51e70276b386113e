//! Creates certificates for the test servers.

use std::fs;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use tempfile::TempDir;

/// A certificate authority.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// The certificate and the private key of a server, as PEM.
pub(crate) struct Certificate {
    pub(crate) pem: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("authority.pem"), issuer.pem()).expect("a file");
        Self { issuer, folder }
    }

    /// Returns the certificate of the authority as PEM. Clients trust it.
    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Returns the path of the file with the certificate of the authority.
    pub(crate) fn file(&self) -> String {
        self.folder.path().join("authority.pem").display().to_string()
    }

    /// Returns the folder with the files of the authority.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Issues a certificate for the server with the given name or address.
    pub(crate) fn certify(&self, host: &str) -> Certificate {
        self.sign(params(host))
    }

    /// Issues a certificate that expired in 2021.
    pub(crate) fn expired(&self, host: &str) -> Certificate {
        let mut params = params(host);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
        self.sign(params)
    }

    fn sign(&self, params: CertificateParams) -> Certificate {
        let key = KeyPair::generate().expect("a key");
        let signed = params.signed_by(&key, &self.issuer).expect("a certificate");
        Certificate { pem: signed.pem(), key: key.serialize_pem() }
    }
}

fn params(host: &str) -> CertificateParams {
    CertificateParams::new([host.to_owned()]).expect("a host")
}
