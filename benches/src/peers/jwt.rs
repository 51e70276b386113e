//! JSON Web Tokens by `jsonwebtoken` on AWS-LC. They need no lookup and cannot be revoked.

use std::sync::Arc;

use anyhow::Result;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use super::Gate;

/// The PKCS #8 header of an Ed25519 key by RFC 8410, and the key pair of RFC 8032, section 7.1,
/// test 1.
const PKCS8: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
const SECRET_KEY: [u8; 32] =
    *b"\x9d\x61\xb1\x9d\xef\xfd\x5a\x60\xba\x84\x4a\xf4\x92\xec\x2c\xc4\x44\x49\xc5\x69\x7b\x32\x69\x19\x70\x3b\xac\x03\x1c\xae\x7f\x60";
const PUBLIC_KEY: [u8; 32] =
    *b"\xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64\x07\x3a\x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68\xf7\x07\x51\x1a";

#[derive(Clone)]
pub(crate) struct Jwt {
    key: Arc<DecodingKey>,
    validation: Arc<Validation>,
}

#[derive(Deserialize, Serialize)]
pub(crate) struct Claims {
    sub: String,
    exp: i64,
    scope: String,
}

impl Jwt {
    /// Creates a shared key, and a token for each of `callers` callers.
    pub(crate) fn hs256(callers: usize) -> Result<(Self, Vec<String>)> {
        let (signs, checks) =
            (EncodingKey::from_secret(&[7; 32]), DecodingKey::from_secret(&[7; 32]));
        Self::new(Algorithm::HS256, &signs, checks, callers)
    }

    /// Creates a key pair, and a token for each of `callers` callers.
    pub(crate) fn eddsa(callers: usize) -> Result<(Self, Vec<String>)> {
        let signs = EncodingKey::from_ed_der(&[&PKCS8[..], &SECRET_KEY].concat());
        Self::new(Algorithm::EdDSA, &signs, DecodingKey::from_ed_der(&PUBLIC_KEY), callers)
    }

    fn new(
        algorithm: Algorithm,
        signs: &EncodingKey,
        checks: DecodingKey,
        callers: usize,
    ) -> Result<(Self, Vec<String>)> {
        let exp = jiff::Timestamp::now().as_second() + 86_400;
        let token = |number| {
            let (sub, scope) = (format!("owner-{number}"), "projects:read".to_owned());
            encode(&Header::new(algorithm), &Claims { sub, exp, scope }, signs)
        };
        let tokens = (0..callers).map(token).collect::<Result<_, _>>()?;
        let validation = Arc::new(Validation::new(algorithm));
        Ok((Self { key: Arc::new(checks), validation }, tokens))
    }
}

impl Gate for Jwt {
    type Actor = Arc<Claims>;

    fn admit(&self, credential: &str) -> Option<Arc<Claims>> {
        let claims = decode::<Claims>(credential, &self.key, &self.validation).ok()?.claims;
        let may = claims.scope.split(' ').any(|scope| scope == "projects:read");
        may.then(|| Arc::new(claims))
    }
}
