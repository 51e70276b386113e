use std::sync::Arc;

use super::{CachedToken, Principal};
use crate::digest::{Digest, SecretMatch};
use crate::lifecycle::Hallpass;
use crate::owner::Owner;
use crate::record::TokenRecord;
use crate::scope::ScopeSet;
use crate::store::{Secrets, StoredToken};
use crate::token::TokenId;

impl Hallpass {
    /// A principal that no token proves, as if one of `owner` with these scopes had just been let
    /// in: what the catalog does not know of them allows nothing. No store is asked and no use is
    /// recorded, and neither is the host asked about the owner.
    ///
    /// Only with the feature `testing`, which is for tests: see the crate `hallpass-testkit`.
    ///
    /// # Panics
    ///
    /// The operating system gave no randomness for the token's id.
    #[must_use]
    pub fn acting_as(&self, owner: &Owner, scopes: &ScopeSet) -> Principal {
        let now = self.now();
        let id = TokenId::generate(owner, now).expect("the system gives randomness");
        let mut record = TokenRecord::new(id, owner.clone(), "acting", now);
        record.scopes = scopes.clone();
        // The use of this minute counts as noted: no store knows the token.
        record.last_used_at = Some(now);
        let current = Digest::from_parts("sha256", &[0; 32]).expect("a digest has 32 bytes");
        let stored = StoredToken { record, secrets: Secrets { current, previous: None } };
        let token = Arc::new(CachedToken::new(stored));
        self.accept(token, None, SecretMatch::Current, now)
            .expect("without an owner status, nothing rejects the token")
    }
}
