//! An entry of the catalog: a scope with the texts that describe it to people.

use crate::requirement::{Part, ScopeTemplate};
use crate::scope::Scope;

/// A scope of the catalog, with the texts that help a person to choose it.
#[derive(Clone, Debug)]
pub struct CatalogScope {
    scope: Scope,
    parameters: Vec<Box<str>>,
    title: Box<str>,
    description: Box<str>,
    docs: Option<Box<str>>,
    restricted: bool,
    read_only: bool,
}

impl CatalogScope {
    /// Creates an entry from a scope and a short title for people.
    ///
    /// # Panics
    ///
    /// Panics if `scope` is not a valid scope, or contains a `*` or a path parameter such as
    /// `{id}`.
    #[must_use]
    #[track_caller]
    pub fn new(scope: &str, title: impl Into<Box<str>>) -> Self {
        let scope: Scope = match scope.parse() {
            Ok(scope) => scope,
            Err(error) => panic!("invalid scope {scope:?} in the catalog: {error}"),
        };
        assert!(
            scope.segments().all(|segment| segment != "*"),
            "invalid scope {scope:?} in the catalog: list each scope without `*`, and allow wildcards with `Catalog::wildcards`"
        );
        assert!(
            !scope.as_str().contains(['{', '}']),
            "invalid scope {scope:?} in the catalog: write it without its parameters, and add each \
             with `.per(..)`, as in `CatalogScope::new(\"projects:read\", ..).per(\"id\")`"
        );
        Self {
            scope,
            parameters: Vec::new(),
            title: title.into(),
            description: "".into(),
            docs: None,
            restricted: false,
            read_only: false,
        }
    }

    /// Adds a parameter: one more segment that names a single resource.
    ///
    /// For example, `per("id")` on `projects:read` allows routes to require `projects:read:{id}`
    /// and tokens to hold `projects:read:42`.
    ///
    /// # Panics
    ///
    /// Panics if the name is empty or contains a brace.
    #[must_use]
    #[track_caller]
    pub fn per(mut self, parameter: &str) -> Self {
        assert!(
            !parameter.is_empty() && !parameter.contains(['{', '}']),
            "invalid parameter {parameter:?} of {}: write its name without braces, such as \"id\"",
            self.scope
        );
        self.parameters.push(parameter.into());
        self
    }

    /// Restricts who may grant this scope. Use it for scopes that ordinary people must not be able
    /// to put into their tokens.
    ///
    /// Two kinds of actors may grant a restricted scope: system actors, and actors whose
    /// [grantable scopes](crate::Actor::with_grantable_scopes) cover it.
    ///
    /// ```
    /// use hallpass_core::{Actor, Catalog, CatalogScope, ScopeSet};
    ///
    /// let catalog = Catalog::new()
    ///     .scope(CatalogScope::new("notes", "Your notes"))
    ///     .scope(CatalogScope::new("admin:notes", "Everybody's notes").restricted());
    /// let person = Actor::owner("alice");
    /// let titles: Vec<_> = catalog.grantable_by(&person).map(CatalogScope::title).collect();
    /// assert_eq!(titles, ["Your notes"]);
    /// let admin = person.with_grantable_scopes(ScopeSet::parse(["notes", "admin:notes"]).unwrap());
    /// assert_eq!(catalog.grantable_by(&admin).count(), 2);
    /// ```
    #[must_use]
    pub fn restricted(mut self) -> Self {
        self.restricted = true;
        self
    }

    /// Marks this scope as read-only: a token cannot change anything if all of its scopes are
    /// marked, not even on routes that accept every token.
    ///
    /// The mark is a statement of yours, which Hallpass does not check. The settings page repeats
    /// it to a person who selects only marked scopes.
    ///
    /// ```
    /// use hallpass_core::CatalogScope;
    ///
    /// assert!(CatalogScope::new("projects:read", "Read projects").read_only().is_read_only());
    /// assert!(!CatalogScope::new("projects:delete", "Delete projects").is_read_only());
    /// ```
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Sets a description of one or two sentences.
    #[must_use]
    pub fn with_description(mut self, text: impl Into<Box<str>>) -> Self {
        self.description = text.into();
        self
    }

    /// Sets a link to the documentation of this scope.
    #[must_use]
    pub fn with_docs_url(mut self, url: impl Into<Box<str>>) -> Self {
        self.docs = Some(url.into());
        self
    }

    /// Returns the scope without its parameters.
    #[must_use]
    pub fn as_scope(&self) -> &Scope {
        &self.scope
    }

    /// Returns the names of the parameters that were added with [`per`](Self::per).
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().map(|name| &**name)
    }

    /// Returns the title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Returns the description, which is empty if none was set.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Returns whether the scope is [restricted](Self::restricted).
    #[must_use]
    pub fn is_restricted(&self) -> bool {
        self.restricted
    }

    /// Returns whether the scope is marked as [read-only](Self::read_only).
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Returns the link to the documentation, if one was set.
    #[must_use]
    pub fn docs_url(&self) -> Option<&str> {
        self.docs.as_deref()
    }

    /// Checks whether `grant` covers this scope, or this scope with some of its parameters set.
    pub(super) fn knows_grant(&self, grant: &Scope, wildcards: bool) -> bool {
        let mut named = self.scope.segments();
        let mut free = self.parameters.len();
        grant.segments().all(|held| match named.next() {
            Some(name) => held == name || (wildcards && held == "*"),
            None if free > 0 => {
                free -= 1;
                true
            }
            None => false,
        })
    }

    /// Checks whether a route's scope is this scope with some of its parameters.
    pub(super) fn knows_template(&self, needed: &ScopeTemplate) -> bool {
        let named = self.scope.segments().count();
        let parts = needed.parts();
        (named..=named + self.parameters.len()).contains(&parts.len())
            && self.scope.segments().zip(parts).all(|(name, part)| match part {
                Part::Literal(text) => **text == *name,
                Part::Parameter(_) => false,
            })
    }
}
