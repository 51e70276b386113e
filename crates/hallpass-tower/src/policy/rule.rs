//! A rule of a policy table.

use std::fmt;

use hallpass_core::Requirement;
use http::Method;

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
