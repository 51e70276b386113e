//! The policy table: it maps method and route to a requirement, and rejects everything else.
//!
//! The table fails closed in each case that it cannot decide: a route without a rule, a path that
//! may be interpreted in two ways, a nest whose path is unknown, and parameters that cannot be
//! read. The log then names the rule that was probably meant, so that the mistake is found without
//! a debugger.

mod mismatch;
#[cfg(feature = "openapi")]
mod openapi;
mod pattern;
mod rule;

use std::collections::HashMap;
use std::fmt;

use hallpass_core::__private::LogOnce;
use hallpass_core::{IntoRequirement, PathParameters, Requirement, RequirementError};
use http::{Method, Request};

use self::pattern::{Parameters, Pattern};
pub use self::rule::Rule;
use crate::routed_path::{NotText, decoded, is_ambiguous, is_nest, whole_path};
use crate::settings::Settings;

/// A table of the requirements of a service's routes. Requests to other routes are rejected.
///
/// The same table serves axum, hyper and tonic. Patterns are in axum's syntax. `HEAD` uses the rule
/// of `GET` if it has no rule of its own.
///
/// ```
/// use hallpass_core::public;
/// use hallpass_tower::PolicyTable;
///
/// let table = PolicyTable::new()
///     .get("/health", public())
///     .get("/projects", "projects:list")
///     .get("/projects/{id}", "projects:read:{id}")
///     .post("/projects", "projects:create");
/// println!("{table}");
/// ```
///
/// # Which rule applies to a request
///
/// Wherever the layer is, **write whole patterns into the table**, including every path below which
/// the router nests a route.
///
/// - If axum's router has matched a route, the table uses the rule with exactly that pattern and
///   the path parameters that the router found. So it does not matter whether an outer layer has
///   rewritten the path.
/// - If it has not (a nested service, a fallback, a layer around the whole router, hyper and
///   tonic), the table finds the rule by the path that the inner service sees. A path with an empty
///   segment, with a `.` or `..` segment, or with a trailing slash that the rule's pattern does not
///   have, is rejected: the inner service may interpret it as another path. It makes no difference
///   whether these are percent-encoded. A path is also rejected if it has another route or other
///   parameters after it is decoded, as with an encoded slash in a parameter.
///
/// The first request for which the table and the router disagree logs a warning that names both.
#[derive(Clone, Default)]
#[must_use = "a table does nothing until it is given to a layer"]
pub struct PolicyTable {
    routes: Vec<Route>,
    by_pattern: HashMap<String, usize>,
    by_path: matchit::Router<usize>,
    /// The routes and patterns that a warning has named.
    mismatches: LogOnce<String>,
}

/// A pattern and the requirement of each of its methods.
#[derive(Clone)]
struct Route {
    pattern: Pattern,
    methods: Vec<(Method, Requirement)>,
}

/// The index of a request's rule in a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RuleIndex {
    route: usize,
    method: usize,
    /// Set if the router has matched the route and provides the path parameters.
    is_routed: bool,
}

impl PolicyTable {
    /// Creates an empty table, which rejects every request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the requirement of `GET` and `HEAD` of this route.
    ///
    /// # Panics
    ///
    /// Panics if [`route`](Self::route) does.
    #[track_caller]
    pub fn get(self, pattern: &str, requirement: impl IntoRequirement) -> Self {
        self.route(Method::GET, pattern, requirement)
    }

    /// Sets the requirement of `POST` of this route. For gRPC, the route is
    /// `/package.Service/Method`.
    ///
    /// # Panics
    ///
    /// Panics if [`route`](Self::route) does.
    #[track_caller]
    pub fn post(self, pattern: &str, requirement: impl IntoRequirement) -> Self {
        self.route(Method::POST, pattern, requirement)
    }

    /// Sets the requirement of `PUT` of this route.
    ///
    /// # Panics
    ///
    /// Panics if [`route`](Self::route) does.
    #[track_caller]
    pub fn put(self, pattern: &str, requirement: impl IntoRequirement) -> Self {
        self.route(Method::PUT, pattern, requirement)
    }

    /// Sets the requirement of `PATCH` of this route.
    ///
    /// # Panics
    ///
    /// Panics if [`route`](Self::route) does.
    #[track_caller]
    pub fn patch(self, pattern: &str, requirement: impl IntoRequirement) -> Self {
        self.route(Method::PATCH, pattern, requirement)
    }

    /// Sets the requirement of `DELETE` of this route.
    ///
    /// # Panics
    ///
    /// Panics if [`route`](Self::route) does.
    #[track_caller]
    pub fn delete(self, pattern: &str, requirement: impl IntoRequirement) -> Self {
        self.route(Method::DELETE, pattern, requirement)
    }

    /// Sets the requirement of this method of this route.
    ///
    /// # Panics
    ///
    /// Panics if [`try_route`](Self::try_route) returns an error. The message explains how to
    /// correct the rule.
    #[track_caller]
    pub fn route(self, method: Method, pattern: &str, requirement: impl IntoRequirement) -> Self {
        match self.try_route(method, pattern, requirement) {
            Ok(table) => table,
            Err(error) => panic!("{error}"),
        }
    }

    /// Sets the requirement of this method of this route, for tables that come from outside the
    /// program.
    ///
    /// # Errors
    ///
    /// Returns a [`PolicyError`] if the pattern or the requirement is invalid, if the requirement
    /// names a path parameter that the pattern does not have, or if the table already has a rule
    /// for this method and route.
    ///
    /// ```
    /// use hallpass_core::public;
    /// use hallpass_tower::PolicyTable;
    /// use http::Method;
    ///
    /// let table = PolicyTable::new().get("/health", public());
    /// let error = table.try_route(Method::GET, "/projects/{id}", "projects:read:{name}").unwrap_err();
    /// assert!(error.to_string().contains("the route /projects/{id} has no such parameter"));
    /// ```
    pub fn try_route(
        mut self,
        method: Method,
        pattern: &str,
        requirement: impl IntoRequirement,
    ) -> Result<Self, PolicyError> {
        let requirement = requirement.into_requirement()?;
        let route = match self.by_pattern.get(pattern) {
            Some(&index) => index,
            None => {
                let new = Pattern::new(pattern).map_err(PolicyError::Pattern)?;
                let index = self.routes.len();
                self.by_path.insert(pattern, index).map_err(|error| {
                    PolicyError::Pattern(format!(
                        "{pattern:?} conflicts with another route: {error}"
                    ))
                })?;
                self.by_pattern.insert(pattern.to_owned(), index);
                self.routes.push(Route { pattern: new, methods: Vec::new() });
                index
            }
        };
        let route = &mut self.routes[route];
        if let Some(name) =
            requirement.parameters().into_iter().find(|name| !route.pattern.has_parameter(name))
        {
            return Err(PolicyError::Parameter {
                requirement: requirement.to_string(),
                name: name.to_owned(),
                pattern: pattern.to_owned(),
            });
        }
        if route.methods.iter().any(|(known, _)| *known == method) {
            return Err(PolicyError::Twice { method, pattern: pattern.to_owned() });
        }
        route.methods.push((method, requirement));
        Ok(self)
    }

    /// Returns the rules in the order in which their routes were added, with the methods of a route
    /// together.
    ///
    /// ```
    /// use hallpass_core::public;
    /// use hallpass_tower::PolicyTable;
    ///
    /// let table = PolicyTable::new()
    ///     .get("/health", public())
    ///     .get("/projects", "projects:list")
    ///     .post("/projects", "projects:create");
    /// // A test can require that only these routes are public.
    /// let public: Vec<_> = table.rules().filter(|rule| rule.requirement().is_public()).collect();
    /// assert_eq!(public.len(), 1);
    /// assert_eq!(public[0].pattern(), "/health");
    /// ```
    pub fn rules(&self) -> impl Iterator<Item = Rule<'_>> {
        self.routes.iter().flat_map(|route| {
            route.methods.iter().map(|(method, requirement)| Rule {
                method,
                pattern: route.pattern.as_str(),
                requirement,
            })
        })
    }

    /// Returns the rules as text in columns, one line for each, in the order of
    /// [`rules`](Self::rules).
    ///
    /// ```
    /// use hallpass_core::public;
    /// use hallpass_tower::PolicyTable;
    ///
    /// let table = PolicyTable::new().get("/health", public()).post("/projects", "projects:create");
    /// assert_eq!(
    ///     table.inventory(),
    ///     "GET   /health    public\n\
    ///      POST  /projects  projects:create\n",
    /// );
    /// ```
    #[must_use]
    pub fn inventory(&self) -> String {
        let methods = self.rules().map(|rule| rule.method.as_str().len()).max().unwrap_or(0);
        let patterns = self.rules().map(|rule| rule.pattern.chars().count()).max().unwrap_or(0);
        self.rules().fold(String::new(), |text, Rule { method, pattern, requirement }| {
            text + &format!("{:methods$}  {pattern:patterns$}  {requirement}\n", method.as_str())
        })
    }

    /// Returns the rule for a request, or `None` if there is none.
    pub(crate) fn find<B>(
        &self,
        request: &mut Request<B>,
        settings: &Settings,
    ) -> Option<RuleIndex> {
        // If only the nest has matched, an inner service may have rewritten the path since.
        let matched = settings
            .matched(request.extensions())
            .filter(|pattern| !is_nest(pattern, request.extensions(), settings));
        let (route, is_routed) = match matched {
            Some(pattern) => match self.by_pattern.get(pattern) {
                Some(&route) => (route, true),
                None => {
                    self.report_route(pattern);
                    return None;
                }
            },
            None => (self.find_by_path(request, settings)?, false),
        };
        let methods = &self.routes.get(route)?.methods;
        let of = |wanted: &Method| methods.iter().position(|(known, _)| known == wanted);
        let method = request.method();
        let method =
            of(method).or_else(|| (*method == Method::HEAD).then(|| of(&Method::GET)).flatten())?;
        Some(RuleIndex { route, method, is_routed })
    }

    fn find_by_path<B>(&self, request: &mut Request<B>, settings: &Settings) -> Option<usize> {
        let Some(path) = whole_path(request, settings) else {
            self.report_unknown_nest();
            return None;
        };
        let route = self.by_path.at(&path).ok().filter(|route| self.is_read_alike(&path, route));
        if route.is_none() {
            self.report_ambiguous(&path);
        }
        route.map(|route| *route.value)
    }

    /// Returns whether a service finds the same route and parameters, even if it normalises the
    /// path or decodes it before it splits it. A file server, for example, decodes it first.
    fn is_read_alike(&self, path: &str, matched: &matchit::Match<'_, '_, &usize>) -> bool {
        let decoded_path = decoded(path);
        if is_ambiguous(&decoded_path, self.routes[*matched.value].pattern.as_str()) {
            return false;
        }
        decoded_path == path
            || self.by_path.at(&decoded_path).is_ok_and(|again| {
                let mut values = again.params.iter().zip(matched.params.iter());
                again.value == matched.value
                    && values.all(|((_, again), (_, value))| again == decoded(value))
            })
    }

    pub(crate) fn requirement(&self, rule: RuleIndex) -> &Requirement {
        &self.routes[rule.route].methods[rule.method].1
    }

    /// Calls `check` with the path parameters of a request that matches this rule. Returns `None`
    /// if the parameters cannot be read.
    pub(crate) fn with_parameters<B, T>(
        &self,
        rule: RuleIndex,
        request: &mut Request<B>,
        settings: &Settings,
        check: impl FnOnce(&Request<B>, &dyn PathParameters) -> T,
    ) -> Option<Result<T, NotText>> {
        if !self.requirement(rule).has_parameters() {
            return Some(Ok(check(request, &Parameters::NONE)));
        }
        if let (true, Some(framework)) = (rule.is_routed, settings.framework) {
            let parameters = framework.parameters(request.extensions_mut())?;
            return Some(parameters.map(|parameters| check(request, &*parameters)));
        }
        let path = whole_path(request, settings)?.into_owned();
        let parameters = self.routes[rule.route].pattern.read(&path)?;
        Some(parameters.map(|parameters| check(request, &parameters)).map_err(|_| NotText))
    }
}

/// Formats the table in columns, one line for each rule.
impl fmt::Display for PolicyTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}anything else: rejected", self.inventory())
    }
}

impl fmt::Debug for PolicyTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.rules().map(|rule| rule.to_string())).finish()
    }
}

/// The error for an invalid rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The pattern is invalid.
    #[error("{0}")]
    Pattern(String),
    /// The requirement is invalid.
    #[error(transparent)]
    Requirement(#[from] RequirementError),
    /// The requirement is bound to a path parameter that the pattern does not have.
    #[error(
        "{requirement} is bound to {{{name}}}, but the route {pattern} has no such parameter: use \
         a parameter of the pattern, or write whole paths if it is a parameter of a nest"
    )]
    #[non_exhaustive]
    Parameter {
        /// The requirement.
        requirement: String,
        /// The parameter.
        name: String,
        /// The route.
        pattern: String,
    },
    /// The table already has a rule for this method and route.
    #[error(
        "there are two rules for {method} {pattern}: keep one of them, or combine them with \
         `any_of` or `all_of`"
    )]
    #[non_exhaustive]
    Twice {
        /// The method.
        method: Method,
        /// The route.
        pattern: String,
    },
    /// An operation of the OpenAPI document has no security, or one that no token can satisfy.
    #[cfg(feature = "openapi")]
    #[error("the OpenAPI document: {0}")]
    OpenApi(String),
}
