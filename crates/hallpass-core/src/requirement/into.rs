//! Conversion into requirements, and its errors.

use super::template::ScopeTemplate;
use super::{Node, Requirement};
use crate::scope::Scope;

/// A value that can be converted into a [`Requirement`].
///
/// These are a scope's text, a [`Scope`], a requirement itself, and the result of
/// [`any_of`](super::any_of) or [`all_of`](super::all_of).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not something a route can require",
    label = "expected a scope such as \"projects:read\", or `public()`, `authenticated()`, `any_of([..])`, `all_of([..])`"
)]
pub trait IntoRequirement {
    /// Converts the value into a valid requirement.
    ///
    /// # Errors
    ///
    /// Returns [`RequirementError::Scope`] if a text is not a scope that a route can require.
    /// Passes on the error of [`any_of`](super::any_of) or [`all_of`](super::all_of).
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

/// The error for a value that is not a valid requirement.
///
/// The message shows the text, because it comes from the program and not from a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequirementError {
    /// The text is not a scope that a route can require.
    #[error("a route cannot require {text:?}: {why}")]
    #[non_exhaustive]
    Scope {
        /// The text of the program.
        text: String,
        /// The reason why it is invalid.
        why: String,
    },
    /// The list of `any_of` or `all_of` is empty.
    #[error(
        "the list of `{0}` is empty: name at least one scope, or use `authenticated()` or \
         `public()`"
    )]
    Empty(&'static str),
    /// The list of `any_of` or `all_of` contains `public()`.
    #[error("`public()` inside {0} has no meaning: a public route requires `public()` alone")]
    PublicInside(&'static str),
}
