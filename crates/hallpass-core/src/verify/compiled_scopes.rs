//! Sets of scopes, prepared for fast checks.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::catalog::Catalog;
use crate::requirement::{CoversScope, PathParameters, ScopeMemo, ScopeTemplate};
use crate::scope::ScopeSet;
use crate::token::TokenId;

/// The scopes of a token, prepared for checks. Tokens with equal scopes share one.
///
/// The results of comparisons are remembered in `memo`. The list of scopes that are in the catalog
/// is remembered for one handle only, because nearly every process has a single handle.
#[derive(Debug, Default)]
pub(super) struct CompiledScopes {
    scopes: ScopeSet,
    /// The first handle that used these scopes, and those of them that its catalog lists. `None`
    /// means that it lists all of them.
    in_catalog: OnceLock<(HandleId, Option<Box<CompiledScopes>>)>,
    memo: ScopeMemo,
}

/// The id of a handle, which identifies its catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HandleId(u64);

impl HandleId {
    /// Returns an id that no other handle has.
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// The scopes of a token that a catalog lists.
pub(super) enum InCatalog {
    /// The catalog lists all scopes.
    All,
    /// The catalog is that of the first handle, and lists [`CompiledScopes::in_first_catalog`].
    Remembered,
    /// The catalog is that of another handle, and lists these scopes.
    Other(ScopeSet),
}

impl CompiledScopes {
    pub(super) fn new(scopes: ScopeSet) -> Self {
        Self { scopes, ..Self::default() }
    }

    pub(super) fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// Returns the scopes that the catalog of the first handle lists.
    pub(super) fn in_first_catalog(&self) -> &Self {
        match self.in_catalog.get() {
            Some((_, Some(known))) => known,
            _ => self,
        }
    }

    /// Returns the scopes that a catalog lists. A scope that was removed from the catalog allows
    /// nothing, because its name may get another meaning later.
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

    /// Computes the scopes that a catalog lists. Returns `None` if it lists all.
    fn known_by(&self, catalog: &Catalog, token: TokenId) -> Option<ScopeSet> {
        if self.scopes.iter().all(|scope| catalog.knows(scope)) {
            return None;
        }
        let (known, unknown): (Vec<_>, Vec<_>) =
            self.scopes.iter().cloned().partition(|scope| catalog.knows(scope));
        for scope in unknown.iter().filter(|scope| catalog.is_news(scope)) {
            tracing::warn!(
                target: "hallpass",
                %token,
                %scope,
                "a principal has a scope that the catalog does not list: it allows nothing (logged \
                 once for each scope)"
            );
        }
        Some(known.into_iter().collect())
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
    fn handles_with_different_catalogs_can_share_compiled_scopes() {
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
                panic!("another catalog must have its own result");
            };
            assert_eq!(left.to_string(), "projects");
        }
    }
}
