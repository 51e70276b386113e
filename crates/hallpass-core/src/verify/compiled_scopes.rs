//! Sets of scopes, prepared for fast checks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::catalog::Catalog;
use crate::owner::Owner;
use crate::requirement::{CoversScope, PathParameters, ScopeMemo, ScopeTemplate};
use crate::scope::ScopeSet;

/// The scopes of a token, prepared for checks. Tokens with equal scopes share one.
///
/// The results of comparisons are remembered in `memo`. The list of scopes that are in the catalog
/// is remembered for one handle only, because nearly every process has a single handle.
#[derive(Debug, Default)]
pub(super) struct CompiledScopes {
    scopes: ScopeSet,
    /// The first handle that used these scopes, and those of them that its catalog lists. `None`
    /// means that it lists all of them.
    first_catalog: OnceLock<(HandleId, Option<Box<CompiledScopes>>)>,
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

/// The scopes of a token that the catalog of a handle lists.
#[derive(Clone)]
pub(super) enum ListedScopes {
    /// The catalog lists all scopes of the token.
    All,
    /// The catalog is that of the first handle. The scopes that it lists are stored with the
    /// token's scopes: see [`CompiledScopes::in_first_catalog`].
    InFirstCatalog,
    /// The catalog is that of another handle, and lists these scopes.
    InOtherCatalog(Arc<ScopeSet>),
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
        match self.first_catalog.get() {
            Some((_, Some(listed))) => listed,
            _ => self,
        }
    }

    /// Returns the scopes that a catalog lists. A scope that was removed from the catalog allows
    /// nothing, because its name may get another meaning later.
    ///
    /// `handle` is the handle that uses the catalog. `owner` is only logged.
    pub(super) fn listed_in(
        &self,
        catalog: &Catalog,
        handle: HandleId,
        owner: &Owner,
    ) -> ListedScopes {
        let filter = || self.filter_by(catalog, owner);
        let (first_handle, in_first) =
            self.first_catalog.get_or_init(|| (handle, filter().map(Self::new).map(Box::new)));
        if *first_handle == handle {
            return in_first.as_ref().map_or(ListedScopes::All, |_| ListedScopes::InFirstCatalog);
        }
        filter().map(Arc::new).map_or(ListedScopes::All, ListedScopes::InOtherCatalog)
    }

    /// Computes the scopes that a catalog lists. Returns `None` if it lists all.
    fn filter_by(&self, catalog: &Catalog, owner: &Owner) -> Option<ScopeSet> {
        if self.scopes.iter().all(|scope| catalog.knows(scope)) {
            return None;
        }
        let (listed, unlisted): (Vec<_>, Vec<_>) =
            self.scopes.iter().cloned().partition(|scope| catalog.knows(scope));
        for scope in unlisted.iter().filter(|scope| catalog.mark_reported(scope)) {
            tracing::warn!(
                target: "hallpass",
                %owner,
                %scope,
                "a principal has a scope that the catalog does not list: it allows nothing (logged \
                 once for each scope)"
            );
        }
        Some(listed.into_iter().collect())
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
        let owner = &"alice".parse().unwrap();
        let jobs = Catalog::new().scope(CatalogScope::new("jobs", "Jobs"));
        let both = jobs.clone().scope(CatalogScope::new("projects", "Projects"));
        let projects = Catalog::new().scope(CatalogScope::new("projects", "Projects"));
        let [first, second, third] = [(); 3].map(|()| HandleId::next());
        for _ in 0..2 {
            let in_first = compiled.listed_in(&jobs, first, owner);
            assert!(matches!(in_first, ListedScopes::InFirstCatalog));
            assert_eq!(compiled.in_first_catalog().scopes().to_string(), "jobs");
            assert!(matches!(compiled.listed_in(&both, second, owner), ListedScopes::All));
            let in_third = compiled.listed_in(&projects, third, owner);
            let ListedScopes::InOtherCatalog(listed) = in_third else {
                panic!("another catalog must have its own result");
            };
            assert_eq!(listed.to_string(), "projects");
        }
    }
}
