//! What can stand where a requirement is asked for, and why something cannot.

use super::template::ScopeTemplate;
use super::{Node, Requirement};
use crate::scope::Scope;

/// Whatever can be said where a requirement is asked for: a scope's text, a [`Requirement`], or
/// the result of [`any_of`](super::any_of) and [`all_of`](super::all_of).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not something a route can require",
    label = "expected a scope such as \"projects:read\", or `public()`, `authenticated()`, `any_of([..])`, `all_of([..])`"
)]
pub trait IntoRequirement {
    /// The requirement, validated.
    ///
    /// # Errors
    ///
    /// The text is no scope, or a list is empty.
    fn into_requirement(self) -> Result<Requirement, RequirementError>;
}

impl IntoRequirement for Requirement {
    fn into_requirement(self) -> Result<Requirement, RequirementError> {
        Ok(self)
    }
}

impl IntoRequirement for &Requirement {
    fn into_requirement(self) -> Result<Requirement, RequirementError> {
        Ok(self.clone())
    }
}

impl IntoRequirement for Result<Requirement, RequirementError> {
    fn into_requirement(self) -> Result<Requirement, RequirementError> {
        self
    }
}

impl IntoRequirement for &str {
    fn into_requirement(self) -> Result<Requirement, RequirementError> {
        ScopeTemplate::parse(self).map(|template| Requirement(Node::Scope(template)))
    }
}

impl IntoRequirement for String {
    fn into_requirement(self) -> Result<Requirement, RequirementError> {
        self.as_str().into_requirement()
    }
}

impl IntoRequirement for &Scope {
    fn into_requirement(self) -> Result<Requirement, RequirementError> {
        self.as_str().into_requirement()
    }
}

/// Why something cannot be required of a route. The text is the program's own, so it is shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequirementError {
    /// Not a scope that a route can need.
    #[error("a route cannot require {text:?}: {why}")]
    #[non_exhaustive]
    Scope {
        /// What was written.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// `any_of` or `all_of` of nothing.
    #[error(
        "{0} of an empty list would let nobody or everybody in: name at least one scope, or say `authenticated()` or `public()`"
    )]
    Empty(&'static str),
    /// `public()` inside `any_of` or `all_of`.
    #[error(
        "`public()` inside {0} opens or means nothing: a public route requires `public()` alone"
    )]
    PublicInside(&'static str),
}
