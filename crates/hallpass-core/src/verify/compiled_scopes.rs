use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::catalog::Catalog;
use crate::requirement::{CoversScope, PathParameters, ScopeMemo, ScopeTemplate};
use crate::scope::ScopeSet;
use crate::token::TokenId;

/// The scopes of a token, compiled for checks. Tokens with equal scopes share one.
#[derive(Debug, Default)]
pub(super) struct CompiledScopes {
    scopes: ScopeSet,
    /// The scopes that the catalog of the first handle that asked knows. `None` means all of them.
    in_catalog: OnceLock<(HandleId, Option<Box<CompiledScopes>>)>,
    memo: ScopeMemo,
}

/// Identifies a handle, and so its catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HandleId(u64);

impl HandleId {
    /// Returns an id that no other handle has.
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Which of a token's scopes the catalog knows.
pub(super) enum InCatalog {
    /// All of them.
    All,
    /// Some: [`CompiledScopes::in_first_catalog`] has them.
    Remembered,
    /// These. Only the catalog of the first handle that asked is remembered, and this is another
    /// one.
    Other(ScopeSet),
}

impl CompiledScopes {
    pub(super) fn new(scopes: ScopeSet) -> Self {
        Self { scopes, ..Self::default() }
    }

    pub(super) fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// Returns the scopes that the catalog of the first handle that asked knows.
    pub(super) fn in_first_catalog(&self) -> &Self {
        match self.in_catalog.get() {
            Some((_, Some(known))) => known,
            _ => self,
        }
    }

    /// Returns which scopes the catalog knows. A scope that left the catalog allows nothing,
    /// because its name may come to mean something else one day.
    pub(super) fn in_catalog(&self, catalog: &Catalog, by: HandleId, token: TokenId) -> InCatalog {
        let (first, known) = self
            .in_catalog
            .get_or_init(|| (by, self.known_by(catalog, token).map(Self::new).map(Box::new)));
        match known {
            _ if *first != by => match self.known_by(catalog, token) {
                Some(left) => InCatalog::Other(left),
                None => InCatalog::All,
            },
            Some(_) => InCatalog::Remembered,
            None => InCatalog::All,
        }
    }

    /// Returns the scopes that the catalog knows, or `None` if it knows all.
    fn known_by(&self, catalog: &Catalog, token: TokenId) -> Option<ScopeSet> {
        let known: ScopeSet =
            self.scopes.iter().filter(|scope| catalog.knows(scope)).cloned().collect();
        let unknown = self.scopes.len() - known.len();
        (unknown > 0).then(|| {
            tracing::warn!(
                target: "hallpass",
                %token,
                unknown,
                "a token holds scopes that the catalog does not know: they allow nothing"
            );
            known
        })
    }
}

impl CoversScope for CompiledScopes {
    fn covers<P: PathParameters + ?Sized>(&self, template: &ScopeTemplate, parameters: &P) -> bool {
        let compare = || CoversScope::covers(&self.scopes, template, parameters);
        match template.number() {
            Some(number) => self.memo.get_or_compare(number, compare),
            None => compare(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_with_the_same_scopes_may_be_asked_by_handles_with_other_catalogs() {
        use crate::catalog::CatalogScope;
        let compiled = CompiledScopes::new(ScopeSet::parse(["jobs", "projects"]).unwrap());
        let token = "018f3c1e-7a2b-8c4d-9e5f-0123456789ab".parse().unwrap();
        let jobs = Catalog::new().scope(CatalogScope::new("jobs", "Jobs"));
        let both = jobs.clone().scope(CatalogScope::new("projects", "Projects"));
        let projects = Catalog::new().scope(CatalogScope::new("projects", "Projects"));
        let [first, second, third] = [(); 3].map(|()| HandleId::next());
        for _ in 0..2 {
            assert!(matches!(compiled.in_catalog(&jobs, first, token), InCatalog::Remembered));
            assert_eq!(compiled.in_first_catalog().scopes().to_string(), "jobs");
            assert!(matches!(compiled.in_catalog(&both, second, token), InCatalog::All));
            let InCatalog::Other(left) = compiled.in_catalog(&projects, third, token) else {
                panic!("another catalog has its own answer");
            };
            assert_eq!(left.to_string(), "projects");
        }
    }
}
