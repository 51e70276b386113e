use std::sync::OnceLock;

use crate::catalog::Catalog;
use crate::record::TokenRecord;
use crate::scope::ScopeSet;
use crate::store::{Secrets, StoredToken};

/// A token as checks need it: loaded once, judged by many requests. What a cache keeps, in an `Arc`.
#[derive(Debug)]
pub struct LoadedToken {
    stored: StoredToken,
    /// What the token holds, without what the catalog no longer knows.
    known: OnceLock<Option<ScopeSet>>,
}

impl LoadedToken {
    /// Prepares what a store read.
    #[must_use]
    pub fn new(stored: StoredToken) -> Self {
        Self { stored, known: OnceLock::new() }
    }

    /// The record.
    #[must_use]
    pub fn record(&self) -> &TokenRecord {
        &self.stored.record
    }

    pub(crate) fn secrets(&self) -> &Secrets {
        &self.stored.secrets
    }

    /// What the token holds. A scope that left the catalog allows nothing; its name may come to
    /// mean something else one day.
    pub(crate) fn scopes(&self, catalog: Option<&Catalog>) -> &ScopeSet {
        let held = &self.stored.record.scopes;
        let Some(catalog) = catalog else { return held };
        self.known
            .get_or_init(|| {
                let known: ScopeSet =
                    held.iter().filter(|scope| catalog.knows(scope)).cloned().collect();
                (known.len() < held.len()).then(|| {
                    tracing::warn!(
                        target: "hallpass",
                        token = %self.stored.record.id,
                        unknown = held.len() - known.len(),
                        "a token holds scopes that the catalog does not know: they allow nothing"
                    );
                    known
                })
            })
            .as_ref()
            .unwrap_or(held)
    }
}
