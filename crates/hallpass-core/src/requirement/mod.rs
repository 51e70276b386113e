//! Requirements: the scopes that a route needs, as a value that is validated at start-up.

mod into;
mod parameters;
mod scope_memo;
mod template;

use std::fmt;

pub use self::into::{IntoRequirement, RequirementError};
pub use self::parameters::PathParameters;
pub(crate) use self::scope_memo::ScopeMemo;
pub(crate) use self::template::{Part, ScopeTemplate};
use crate::scope::ScopeSet;

/// The requirement of a route: the scopes that a token needs in order to call it.
///
/// Create it at start-up from a scope's text, or with [`public`], [`authenticated`], [`any_of`] or
/// [`all_of`]. Checking it on a request allocates nothing.
///
/// `{name}` in a scope stands for the route's path parameter of that name, percent-decoded as the
/// handler sees it. Its value is always one literal segment, so a `*` or `:` in a path has no
/// special meaning.
///
/// ```
/// use hallpass_core::{Requirement, ScopeSet};
///
/// let needs: Requirement = "projects:read:{id}".parse().unwrap();
/// let held = ScopeSet::parse(["projects:read:42"]).unwrap();
/// assert!(needs.check(&held, &[("id", "42")]).is_allowed());
/// assert!(!needs.check(&held, &[("id", "43")]).is_allowed());
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Requirement(Node);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Node {
    Public,
    Authenticated,
    Scope(ScopeTemplate),
    Any(Box<[Requirement]>),
    All(Box<[Requirement]>),
}

/// Creates a requirement that every request meets. Credentials are not checked.
#[must_use]
pub fn public() -> Requirement {
    Requirement(Node::Public)
}

/// Creates a requirement that every valid token meets, whatever scopes it holds.
#[must_use]
pub fn authenticated() -> Requirement {
    Requirement(Node::Authenticated)
}

/// Creates a requirement that is met if at least one of the alternatives is met.
///
/// Functions that take an [`IntoRequirement`] accept this `Result` directly and report the error at
/// start-up.
///
/// ```
/// use hallpass_core::{Requirement, ScopeSet, all_of, any_of};
///
/// let needs = any_of([all_of(["jobs:read", "jobs:run"]), any_of(["admin:jobs"])])?;
/// assert_eq!(needs.to_string(), "any of (all of (jobs:read, jobs:run), any of (admin:jobs))");
/// assert!(needs.check(&ScopeSet::parse(["admin:jobs"]).unwrap(), &()).is_allowed());
/// assert!(!needs.check(&ScopeSet::parse(["jobs:read"]).unwrap(), &()).is_allowed());
/// # Ok::<_, hallpass_core::RequirementError>(())
/// ```
///
/// # Errors
///
/// Returns [`RequirementError::Empty`] if the list is empty, [`RequirementError::PublicInside`] if
/// it contains [`public`], and [`RequirementError::Scope`] if a scope is invalid.
pub fn any_of<R: IntoRequirement>(
    alternatives: impl IntoIterator<Item = R>,
) -> Result<Requirement, RequirementError> {
    list("any_of", alternatives).map(|list| Requirement(Node::Any(list)))
}

/// Creates a requirement that is met if all of the parts are met.
///
/// # Errors
///
/// Returns the errors of [`any_of`].
pub fn all_of<R: IntoRequirement>(
    parts: impl IntoIterator<Item = R>,
) -> Result<Requirement, RequirementError> {
    list("all_of", parts).map(|list| Requirement(Node::All(list)))
}

fn list<R: IntoRequirement>(
    name: &'static str,
    items: impl IntoIterator<Item = R>,
) -> Result<Box<[Requirement]>, RequirementError> {
    let items: Box<[_]> = items.into_iter().map(R::into_requirement).collect::<Result<_, _>>()?;
    if items.is_empty() {
        return Err(RequirementError::Empty(name));
    }
    if items.iter().any(Requirement::is_public) {
        return Err(RequirementError::PublicInside(name));
    }
    Ok(items)
}

impl Requirement {
    /// Returns whether the requirement is [`public`].
    #[must_use]
    pub fn is_public(&self) -> bool {
        matches!(self.0, Node::Public)
    }

    /// Checks whether a set of scopes meets this requirement, given the route's path parameters.
    pub fn check<P: PathParameters + ?Sized>(
        &self,
        held: &ScopeSet,
        parameters: &P,
    ) -> Decision<'_> {
        self.check_held(held, parameters)
    }

    /// Checks the requirement against any kind of set, such as compiled scopes.
    pub(crate) fn check_held<H: CoversScope, P: PathParameters + ?Sized>(
        &self,
        held: &H,
        parameters: &P,
    ) -> Decision<'_> {
        match &self.0 {
            Node::Public | Node::Authenticated => Decision::Allow,
            Node::Scope(template) => {
                if let Some(name) =
                    template.parameters().find(|name| parameters.get(name).is_none())
                {
                    Decision::MissingParameter(name)
                } else if held.covers(template, parameters) {
                    Decision::Allow
                } else {
                    Decision::Deny
                }
            }
            Node::Any(list) => fold(list, held, parameters, Decision::Deny, Decision::Allow),
            Node::All(list) => fold(list, held, parameters, Decision::Allow, Decision::Deny),
        }
    }

    /// Returns whether a scope of the requirement contains a path parameter.
    #[must_use]
    pub fn has_parameters(&self) -> bool {
        match &self.0 {
            Node::Public | Node::Authenticated => false,
            Node::Scope(template) => template.parameters().next().is_some(),
            Node::Any(list) | Node::All(list) => list.iter().any(Self::has_parameters),
        }
    }

    /// Returns the names of all path parameters. A name may occur more than once.
    #[must_use]
    pub fn parameters(&self) -> Vec<&str> {
        self.templates().into_iter().flat_map(ScopeTemplate::parameters).collect()
    }

    /// Returns all scopes as they were written. An OpenAPI document lists them for the operation.
    #[must_use]
    pub fn scopes(&self) -> Vec<String> {
        self.templates().into_iter().map(ToString::to_string).collect()
    }

    /// Returns the alternatives that an OpenAPI document lists as the `security` of an operation.
    /// Each is a set of scopes, as written, that suffices on its own. A public route has none, and
    /// a route for any valid token has one empty set.
    ///
    /// ```
    /// use hallpass_core::{all_of, any_of, authenticated};
    ///
    /// let either = any_of([all_of(["a", "b:{id}"]).unwrap(), "c".parse().unwrap()]).unwrap();
    /// assert_eq!(either.alternatives(), [vec!["a", "b:{id}"], vec!["c"]]);
    /// assert_eq!(authenticated().alternatives(), [Vec::<String>::new()]);
    /// ```
    #[must_use]
    pub fn alternatives(&self) -> Vec<Vec<String>> {
        match &self.0 {
            Node::Public => Vec::new(),
            Node::Authenticated => vec![Vec::new()],
            Node::Scope(template) => vec![vec![template.to_string()]],
            Node::Any(list) => list.iter().flat_map(Self::alternatives).collect(),
            Node::All(list) => list.iter().fold(vec![Vec::new()], |sets, part| {
                let alternatives = part.alternatives();
                let join = |set: &Vec<String>, more: &Vec<String>| [&set[..], &more[..]].concat();
                sets.iter()
                    .flat_map(|set| alternatives.iter().map(|more| join(set, more)))
                    .collect()
            }),
        }
    }

    /// Returns the `scope` attribute of a challenge ([RFC 6750, section 3]): all scopes with their
    /// path parameters filled in.
    ///
    /// If the value of a parameter cannot be part of a scope, the scope ends before that segment.
    ///
    /// [RFC 6750, section 3]: https://www.rfc-editor.org/rfc/rfc6750#section-3
    #[must_use]
    pub fn challenge<P: PathParameters + ?Sized>(&self, parameters: &P) -> String {
        if let Node::Scope(template) = &self.0 {
            return template.challenge(parameters).unwrap_or_default();
        }
        let mut named: Vec<String> = Vec::new();
        for scope in self.templates().iter().filter_map(|template| template.challenge(parameters)) {
            if !named.contains(&scope) {
                named.push(scope);
            }
        }
        named.join(" ")
    }

    /// Returns all scopes of the requirement, in order.
    pub(crate) fn templates(&self) -> Vec<&ScopeTemplate> {
        match &self.0 {
            Node::Public | Node::Authenticated => Vec::new(),
            Node::Scope(template) => vec![template],
            Node::Any(list) | Node::All(list) => list.iter().flat_map(Self::templates).collect(),
        }
    }
}

/// Combines the decisions of a list: returns `end` if any of them is `end`, and otherwise `seed`.
///
/// All of the list is checked even after the outcome is known, so that a missing parameter is
/// always reported. It is a mistake in the program, and must not depend on the scopes of the token.
fn fold<'r, H: CoversScope, P: PathParameters + ?Sized>(
    list: &'r [Requirement],
    held: &H,
    parameters: &P,
    seed: Decision<'r>,
    end: Decision<'r>,
) -> Decision<'r> {
    let mut outcome = seed;
    for requirement in list {
        match requirement.check_held(held, parameters) {
            missing @ Decision::MissingParameter(_) => return missing,
            Decision::Allow if end == Decision::Allow => outcome = end,
            Decision::Deny if end == Decision::Deny => outcome = end,
            Decision::Allow | Decision::Deny => {}
        }
    }
    outcome
}

/// A set of scopes that can be compared with a scope of a requirement.
pub(crate) trait CoversScope {
    /// Returns whether the set covers the scope, given the route's path parameters.
    fn covers<P: PathParameters + ?Sized>(&self, template: &ScopeTemplate, parameters: &P) -> bool;
}

impl CoversScope for ScopeSet {
    fn covers<P: PathParameters + ?Sized>(&self, template: &ScopeTemplate, parameters: &P) -> bool {
        self.covers_segments(template.bind(parameters))
    }
}

/// The result of [`Requirement::check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Decision<'r> {
    /// The scopes meet the requirement.
    Allow,
    /// The scopes do not meet the requirement. Respond with 403 and `insufficient_scope`.
    Deny,
    /// The requirement names a path parameter that the route does not have. This is a mistake in
    /// the program: the request must not be served.
    MissingParameter(&'r str),
}

impl Decision<'_> {
    /// Returns whether the requirement is met.
    #[must_use]
    pub fn is_allowed(self) -> bool {
        self == Self::Allow
    }
}

impl std::str::FromStr for Requirement {
    type Err = RequirementError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.into_requirement()
    }
}

/// Writes the requirement for people: `public`, `any valid token`, `projects:read:{id}` or
/// `all of (a, b)`.
impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, list) = match &self.0 {
            Node::Public => return f.write_str("public"),
            Node::Authenticated => return f.write_str("any valid token"),
            Node::Scope(template) => return template.fmt(f),
            Node::Any(list) => ("any of", list),
            Node::All(list) => ("all of", list),
        };
        write!(f, "{name} (")?;
        for (place, requirement) in list.iter().enumerate() {
            if place > 0 {
                f.write_str(", ")?;
            }
            requirement.fmt(f)?;
        }
        f.write_str(")")
    }
}

impl fmt::Debug for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Requirement({self})")
    }
}

#[cfg(test)]
mod tests;
