use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::answers::Answers;
use crate::catalog::Catalog;
use crate::requirement::{Held, PathParameters, ScopeTemplate};
use crate::scope::ScopeSet;
use crate::token::TokenId;

/// What a token holds, compiled for checks. Tokens that hold the same share one.
#[derive(Debug, Default)]
pub(super) struct Grants {
    scopes: ScopeSet,
    /// What is left of the scopes by the catalog of the first handle that asked; all of them if `None`.
    known: OnceLock<(HandleId, Option<Box<Grants>>)>,
    answers: Answers,
}

/// Which handle asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HandleId(u64);

impl HandleId {
    /// Another one at each call.
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// What the catalog leaves of a token's scopes.
pub(super) enum Known {
    /// All.
    All,
    /// Some, as found before.
    Less,
    /// These, for a handle whose catalog is not the one that was asked first.
    Apart(ScopeSet),
}

impl Grants {
    pub(super) fn new(scopes: ScopeSet) -> Self {
        Self { scopes, ..Self::default() }
    }

    pub(super) fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// What is left by the catalog of the first handle that asked.
    pub(super) fn narrowed(&self) -> &Self {
        match self.known.get() {
            Some((_, Some(known))) => known,
            _ => self,
        }
    }

    /// A scope that left the catalog allows nothing; its name may come to mean something else one day.
    pub(super) fn known(&self, catalog: &Catalog, by: HandleId, token: TokenId) -> Known {
        let (first, known) = self
            .known
            .get_or_init(|| (by, self.left_by(catalog, token).map(Self::new).map(Box::new)));
        match known {
            _ if *first != by => match self.left_by(catalog, token) {
                Some(left) => Known::Apart(left),
                None => Known::All,
            },
            Some(_) => Known::Less,
            None => Known::All,
        }
    }

    /// What the catalog knows of the scopes, if that is not all.
    fn left_by(&self, catalog: &Catalog, token: TokenId) -> Option<ScopeSet> {
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

impl Held for Grants {
    fn covers<P: PathParameters + ?Sized>(&self, template: &ScopeTemplate, parameters: &P) -> bool {
        let compare = || Held::covers(&self.scopes, template, parameters);
        match template.number() {
            Some(number) => self.answers.of(number, compare),
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
        let grants = Grants::new(ScopeSet::parse(["jobs", "projects"]).unwrap());
        let token = "018f3c1e-7a2b-8c4d-9e5f-0123456789ab".parse().unwrap();
        let jobs = Catalog::new().scope(CatalogScope::new("jobs", "Jobs"));
        let both = jobs.clone().scope(CatalogScope::new("projects", "Projects"));
        let projects = Catalog::new().scope(CatalogScope::new("projects", "Projects"));
        let [first, second, third] = [(); 3].map(|()| HandleId::next());
        for _ in 0..2 {
            assert!(matches!(grants.known(&jobs, first, token), Known::Less));
            assert_eq!(grants.narrowed().scopes().to_string(), "jobs");
            assert!(matches!(grants.known(&both, second, token), Known::All));
            let Known::Apart(left) = grants.known(&projects, third, token) else {
                panic!("another catalog has its own answer");
            };
            assert_eq!(left.to_string(), "projects");
        }
    }
}
