//! The simplest implementation with a cache: moka maps the digest of a token to its holder, with a
//! set of scope names.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use moka::sync::Cache;
use sha2::{Digest as _, Sha256};

use super::Gate;

#[derive(Clone)]
pub(crate) struct Plain(Cache<[u8; 32], Arc<Holder>>);

#[derive(Clone)]
pub(crate) struct Holder {
    #[expect(dead_code, reason = "only a handler would read it")]
    pub(crate) owner: String,
    expires: SystemTime,
    scopes: HashSet<String>,
}

impl Plain {
    pub(crate) fn new<'t>(tokens: impl IntoIterator<Item = &'t String>) -> Self {
        let cache = Cache::new(100_000);
        let expires = SystemTime::now() + Duration::from_secs(86_400);
        for (number, token) in tokens.into_iter().enumerate() {
            let owner = format!("owner-{number}");
            let scopes = HashSet::from(["projects:read".to_owned()]);
            cache.insert(digest(token), Arc::new(Holder { owner, expires, scopes }));
        }
        Self(cache)
    }
}

impl Gate for Plain {
    type Actor = Arc<Holder>;

    fn admit(&self, credential: &str) -> Option<Arc<Holder>> {
        let holder = self.0.get(&digest(credential))?;
        let may = SystemTime::now() < holder.expires && holder.scopes.contains("projects:read");
        may.then_some(holder)
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}
