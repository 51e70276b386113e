//! Requirements: what a route needs, as a value that is built and validated at start-up.

mod into;
mod scope_memo;
mod template;

use std::fmt;

pub use self::into::{IntoRequirement, RequirementError};
pub(crate) use self::scope_memo::ScopeMemo;
pub(crate) use self::template::{Part, ScopeTemplate};
use crate::scope::ScopeSet;

/// What a route needs of the token that calls it.
///
/// Made at start-up from a scope's text, or with [`public`], [`authenticated`], [`any_of`] and
/// [`all_of`]; checked on every request without allocating.
///
/// `{name}` in a scope stands for the route's path parameter of that name, percent-decoded as the
/// handler sees it. Its value is always one literal segment: a `*` or `:` in a path is no pattern.
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

/// Anybody may call the route; no credential is looked at.
#[must_use]
pub fn public() -> Requirement {
    Requirement(Node::Public)
}

/// Any valid token may call the route, whatever it holds.
#[must_use]
pub fn authenticated() -> Requirement {
    Requirement(Node::Authenticated)
}

/// A token that meets at least one of these may call the route.
///
/// # Errors
///
/// An empty list, an invalid scope, or [`public`] inside. Whatever takes a requirement takes this
/// result as it is, and reports the error at start-up.
pub fn any_of<R: IntoRequirement>(
    alternatives: impl IntoIterator<Item = R>,
) -> Result<Requirement, RequirementError> {
    list("any_of", alternatives).map(|list| Requirement(Node::Any(list)))
}

/// A token that meets all of these may call the route.
///
/// # Errors
///
/// As [`any_of`].
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
    /// Whether the route is open to anybody.
    #[must_use]
    pub fn is_public(&self) -> bool {
        matches!(self.0, Node::Public)
    }

    /// Whether what a token holds meets this, given the route's path parameters.
    pub fn check<P: PathParameters + ?Sized>(
        &self,
        held: &ScopeSet,
        parameters: &P,
    ) -> Decision<'_> {
        self.check_held(held, parameters)
    }

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

    /// Whether it is bound to any path parameter.
    #[must_use]
    pub fn has_parameters(&self) -> bool {
        match &self.0 {
            Node::Public | Node::Authenticated => false,
            Node::Scope(template) => template.parameters().next().is_some(),
            Node::Any(list) | Node::All(list) => list.iter().any(Self::has_parameters),
        }
    }

    /// The names of the path parameters it is bound to; one may come more than once.
    #[must_use]
    pub fn parameters(&self) -> Vec<&str> {
        self.templates().into_iter().flat_map(ScopeTemplate::parameters).collect()
    }

    /// The scopes it names, as written: what an OpenAPI document lists for the operation.
    #[must_use]
    pub fn scopes(&self) -> Vec<String> {
        self.templates().into_iter().map(ToString::to_string).collect()
    }

    /// Returns the sets of scopes of which each one is enough, as written: the alternatives that an
    /// OpenAPI document lists as the `security` of an operation. A public route has none, and a
    /// route for any valid token has one empty set.
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

    /// The `scope` of a challenge ([RFC 6750, section 3]): every scope named here, parameters
    /// filled in. A value that no scope may hold is left out, and what follows it.
    ///
    /// [RFC 6750, section 3]: https://www.rfc-editor.org/rfc/rfc6750#section-3
    #[must_use]
    pub fn challenge<P: PathParameters + ?Sized>(&self, parameters: &P) -> String {
        let mut named: Vec<String> = Vec::new();
        for scope in self.templates().iter().filter_map(|template| template.challenge(parameters)) {
            if !named.contains(&scope) {
                named.push(scope);
            }
        }
        named.join(" ")
    }

    pub(crate) fn templates(&self) -> Vec<&ScopeTemplate> {
        match &self.0 {
            Node::Public | Node::Authenticated => Vec::new(),
            Node::Scope(template) => vec![template],
            Node::Any(list) | Node::All(list) => list.iter().flat_map(Self::templates).collect(),
        }
    }
}

/// `seed` unless one of the list answers `end`; a parameter that is missing is always reported.
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

/// A set of scopes that can be asked whether it covers a scope that a route names.
pub(crate) trait CoversScope {
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
    /// The token may do it.
    Allow,
    /// The token may not do it: 403 `insufficient_scope`.
    Deny,
    /// The requirement names a path parameter that the route does not have: a mistake in the
    /// program, never a reason to let anybody in.
    MissingParameter(&'r str),
}

impl Decision<'_> {
    /// Returns whether the token may do it.
    #[must_use]
    pub fn is_allowed(self) -> bool {
        self == Self::Allow
    }
}

/// Where a requirement's `{name}` finds its value: the route's path parameters, percent-decoded.
pub trait PathParameters {
    /// The value of the parameter, or `None` if the route has none of that name.
    fn get(&self, name: &str) -> Option<&str>;
}

/// A route without path parameters.
impl PathParameters for () {
    fn get(&self, _: &str) -> Option<&str> {
        None
    }
}

impl<K: AsRef<str>, V: AsRef<str>> PathParameters for [(K, V)] {
    fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(key, _)| key.as_ref() == name).map(|(_, value)| value.as_ref())
    }
}

impl<K: AsRef<str>, V: AsRef<str>, const N: usize> PathParameters for [(K, V); N] {
    fn get(&self, name: &str) -> Option<&str> {
        PathParameters::get(self.as_slice(), name)
    }
}

impl std::str::FromStr for Requirement {
    type Err = RequirementError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.into_requirement()
    }
}

/// As a person would write it: `public`, `any valid token`, `projects:read:{id}`, `all of (a, b)`.
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn needs(text: &str) -> Requirement {
        text.parse().unwrap()
    }

    fn held(scopes: &[&str]) -> ScopeSet {
        ScopeSet::parse(scopes).unwrap()
    }

    #[test]
    fn a_route_says_exactly_what_it_needs() {
        for bad in
            ["", "a:*", "*", "a::b", "a b", "a:{id", "a:x{id}", "a:{}", "a:{b-c}", "a:{*rest}"]
        {
            assert!(bad.parse::<Requirement>().is_err(), "{bad:?}");
        }
        assert_eq!(needs("a:{id}:c").parameters(), ["id"]);
        assert_eq!(needs("a:{id}:c").to_string(), "a:{id}:c");
    }

    #[test]
    fn an_empty_list_is_an_error_not_a_yes() {
        assert_eq!(all_of::<&str>([]), Err(RequirementError::Empty("all_of")));
        assert_eq!(any_of::<&str>([]), Err(RequirementError::Empty("any_of")));
        assert_eq!(any_of([public()]), Err(RequirementError::PublicInside("any_of")));
    }

    #[test]
    fn both_parameters_of_a_route_are_bound() {
        let needs = all_of(["a:read:{x}", "b:read:{y}"]).unwrap();
        let one = held(&["a:read:1"]);
        let both = held(&["a:read:1", "b:read:2"]);
        assert_eq!(needs.check(&one, &[("x", "1"), ("y", "2")]), Decision::Deny);
        assert_eq!(needs.check(&both, &[("x", "1"), ("y", "2")]), Decision::Allow);
        assert_eq!(needs.check(&both, &[("x", "1"), ("y", "3")]), Decision::Deny);
    }

    #[test]
    fn a_missing_parameter_lets_nobody_in() {
        let everything = held(&["a", "b", "c"]);
        assert_eq!(needs("a:{id}").check(&everything, &()), Decision::MissingParameter("id"));
        let either = any_of(["c", "a:{id}"]).unwrap();
        assert_eq!(either.check(&everything, &()), Decision::MissingParameter("id"));
    }

    #[test]
    fn ids_are_compared_byte_for_byte() {
        let held = held(&["a:42"]);
        for other in ["042", "+42", "42 ", "4", "", "42:7", "*"] {
            assert!(!needs("a:{id}").check(&held, &[("id", other)]).is_allowed(), "{other:?}");
        }
    }

    #[test]
    fn a_parameter_in_front_reaches_no_reserved_family() {
        let everything = held(&["*"]);
        assert!(needs("{family}:read").check(&everything, &[("family", "jobs")]).is_allowed());
        assert!(!needs("{family}:read").check(&everything, &[("family", "admin")]).is_allowed());
    }

    #[test]
    fn a_challenge_names_the_whole_requirement_and_nothing_that_is_no_scope() {
        let needs = all_of(["p:publish:{id}", "p:read:{id}", "p:read:{id}"]).unwrap();
        assert_eq!(needs.challenge(&[("id", "atlas")]), "p:publish:atlas p:read:atlas");
        for strange in ["a b", "a\"b", "é", "*", "a:b", ""] {
            assert_eq!(needs.challenge(&[("id", strange)]), "p:publish p:read", "{strange:?}");
        }
        assert_eq!(authenticated().challenge(&()), "");
    }

    proptest! {
        #[test]
        fn a_parameter_is_never_a_pattern(value in "[a*:]{0,6}", grant in "[ab](:[ab]){0,2}") {
            // Without `*` in what is held, a parameter is covered only by its own text or by a shorter grant.
            let held = held(&[&grant]);
            let granted = needs("a:{id}").check(&held, &[("id", value.as_str())]).is_allowed();
            let segments: Vec<_> = grant.split(':').collect();
            let expected = match segments[..] {
                [family] => family == "a",
                [family, id] => family == "a" && id == value,
                _ => false,
            };
            prop_assert_eq!(granted, expected);
        }

        #[test]
        fn a_held_star_covers_any_one_value(value: String) {
            let held = held(&["a:*"]);
            let needs = needs("a:{id}");
            prop_assert!(needs.check(&held, &[("id", value.as_str())]).is_allowed());
        }
    }
}
