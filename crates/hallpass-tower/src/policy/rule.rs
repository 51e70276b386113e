//! The rules of a policy table.

use std::fmt;

use hallpass_core::{Hallpass, Requirement};
use http::Method;

use super::PolicyTable;

/// A rule of the table.
#[derive(Clone, Debug)]
pub struct Rule<'t> {
    pub(super) method: &'t Method,
    pub(super) pattern: &'t str,
    pub(super) requirement: &'t Requirement,
}

impl Rule<'_> {
    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> &Method {
        self.method
    }

    /// Returns the route's pattern.
    #[must_use]
    pub fn pattern(&self) -> &str {
        self.pattern
    }

    /// Returns the requirement of the route.
    #[must_use]
    pub fn requirement(&self) -> &Requirement {
        self.requirement
    }
}

impl fmt::Display for Rule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.method, self.pattern, self.requirement)
    }
}

impl PolicyTable {
    /// Checks that the catalog of a handle, if there is one, lists every scope of the table.
    ///
    /// # Panics
    ///
    /// Panics if it lacks a scope.
    #[doc(hidden)]
    #[track_caller]
    pub fn check_scopes(&self, hallpass: &Hallpass) {
        let Some(catalog) = hallpass.catalog() else { return };
        for Rule { method, pattern, requirement } in self.rules() {
            if let Some(scope) = catalog.unknown_in(requirement) {
                panic!(
                    "{method} {pattern} requires {scope}, which the catalog does not list: add the \
                     scope to the catalog (and a path parameter to its entry, with \
                     `.per(\"id\")`), or correct the route"
                );
            }
        }
    }
}
