//! Principals for tests, created without a token.

use std::sync::Arc;

use super::{CachedToken, Principal};
use crate::actor::Origin;
use crate::digest::{Digest, SecretMatch};
use crate::lifecycle::Hallpass;
use crate::owner::Owner;
use crate::record::TokenRecord;
use crate::scope::ScopeSet;
use crate::store::{Secrets, StoredToken};
use crate::token::TokenId;

impl Hallpass {
    /// Creates a principal for a test, as if a token of `owner` with these scopes had been
    /// accepted.
    ///
    /// A scope that the catalog does not list allows nothing, as in a real check. The store and the
    /// owner directory are not queried, and no use is recorded. This needs the feature `testing`,
    /// which is for tests only: see the crate `hallpass-testkit`.
    ///
    /// # Panics
    ///
    /// Panics if the operating system provides no randomness for the token's id.
    #[must_use]
    pub fn acting_as(&self, owner: &Owner, scopes: &ScopeSet) -> Principal {
        let now = self.now();
        let id = TokenId::generate(owner, now).expect("the system provides randomness");
        let mut record = TokenRecord::new(id, owner.clone(), "acting", now);
        record.scopes = scopes.clone();
        // Marks this minute's use as recorded, because the token is not in any store.
        record.last_used_at = Some(now);
        let secrets = Secrets { current: Digest::unmatchable(), previous: None };
        let stored = StoredToken { record, secrets };
        let token = Arc::new(CachedToken::new(stored));
        self.accept(token, None, SecretMatch::Current, now, &Origin::default())
            .expect("without an owner status, nothing rejects the token")
    }
}
