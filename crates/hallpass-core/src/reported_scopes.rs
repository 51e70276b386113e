//! The scopes that a warning in the log has already named.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::scope::Scope;

/// The scopes that were logged because a catalog does not list them. Each scope is logged once. The
/// host's own sign-in can grant any number of scopes with every request, so the number of
/// remembered scopes is limited.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReportedScopes(Arc<Mutex<BTreeSet<Scope>>>);

impl ReportedScopes {
    /// The maximum number of scopes that are remembered.
    const MAX: usize = 100;

    /// Returns whether to log this scope, which is the case the first time.
    pub(crate) fn is_news(&self, scope: &Scope) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.len() < Self::MAX && !known.contains(scope) && known.insert(scope.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_is_reported_once_up_to_a_limit() {
        let reported = ReportedScopes::default();
        let scope = |number: usize| format!("projects:{number}").parse::<Scope>().unwrap();
        let news = || (0..1000).filter(|number| reported.is_news(&scope(*number))).count();
        assert_eq!((news(), news()), (ReportedScopes::MAX, 0));
        assert!(!reported.clone().is_news(&scope(0)), "clones share what was reported");
    }
}
