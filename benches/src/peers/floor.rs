//! The minimum work for a check of opaque tokens with scopes: one lookup in an unshared map, one
//! block of SHA-256, one comparison each of digest, expiry and a scope bit, and one extension.
//!
//! It has no checksum, stripes, lease, last use or second source of credentials, and leaves the
//! header in place. The map is the standard library's with its default hasher. Its key is the id in
//! text form.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use super::Gate;

/// The ranges of the id and the secret. The prefix `hp_` precedes them, the checksum follows.
const ID: std::ops::Range<usize> = 3..25;
const SECRET: std::ops::Range<usize> = 25..68;

/// The bit of the only required scope.
const READ: u64 = 1;

#[derive(Clone)]
pub(crate) struct Floor(Arc<HashMap<[u8; 22], Arc<Token>>>);

pub(crate) struct Token {
    digest: [u8; 32],
    expires: SystemTime,
    scopes: u64,
}

impl Floor {
    pub(crate) fn new<'t>(tokens: impl IntoIterator<Item = &'t String>) -> Self {
        let expires = SystemTime::now() + Duration::from_secs(86_400);
        let tokens = tokens.into_iter().map(|text| {
            let id = text.as_bytes()[ID].try_into().expect("ids have 22 characters");
            let digest = Sha256::digest(&text.as_bytes()[SECRET]).into();
            (id, Arc::new(Token { digest, expires, scopes: READ }))
        });
        Self(Arc::new(tokens.collect()))
    }
}

impl Gate for Floor {
    type Actor = Arc<Token>;

    fn admit(&self, credential: &str) -> Option<Arc<Token>> {
        let text = credential.as_bytes();
        let id: &[u8; 22] = text.get(ID)?.try_into().ok()?;
        let token = self.0.get(id)?;
        let is_good = <[u8; 32]>::from(Sha256::digest(text.get(SECRET)?)) == token.digest
            && SystemTime::now() < token.expires
            && token.scopes & READ != 0;
        is_good.then(|| Arc::clone(token))
    }
}
