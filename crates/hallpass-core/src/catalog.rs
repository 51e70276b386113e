//! The catalog: the scopes an application knows, for people who pick them and for start-up checks.

use crate::actor::Actor;
use crate::requirement::{Part, Requirement, ScopeTemplate};
use crate::scope::{Scope, ScopeSet};

/// The scopes the application knows, and named sets of them.
///
/// With a catalog, an unknown scope is an error when a token is issued, and at start-up when a
/// policy table or a guarded router names it; one that is already stored allows nothing. It feeds
/// `GET /scopes` of the token API.
///
/// ```
/// use hallpass_core::{Catalog, CatalogScope};
///
/// let catalog = Catalog::new()
///     .scope(CatalogScope::new("projects:list", "List projects"))
///     .scope(CatalogScope::new("projects:read", "Read projects").per("id").with_docs_url("https://docs.example.com/read"))
///     .preset("read-only", "Look, don't touch", ["projects:list", "projects:read"]);
/// assert!(catalog.knows(&"projects:read:42".parse().unwrap()));
/// assert!(!catalog.knows(&"projects:reed".parse().unwrap()));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    scopes: Vec<CatalogScope>,
    presets: Vec<Preset>,
    wildcards: bool,
}

/// One scope of the catalog, with what a person needs to choose it.
#[derive(Clone, Debug)]
pub struct CatalogScope {
    scope: Scope,
    parameters: Vec<Box<str>>,
    title: Box<str>,
    description: Box<str>,
    docs: Option<Box<str>>,
    restricted: bool,
}

/// A named set of scopes. It is expanded when a token is issued: changing it later changes no
/// token.
#[derive(Clone, Debug)]
pub struct Preset {
    name: Box<str>,
    title: Box<str>,
    scopes: ScopeSet,
}

impl CatalogScope {
    /// A scope and the few words a person chooses it by.
    ///
    /// # Panics
    ///
    /// `scope` is no scope, or holds a `*`: a mistake in the program, told at start-up.
    #[must_use]
    #[track_caller]
    pub fn new(scope: &str, title: impl Into<Box<str>>) -> Self {
        let scope: Scope = match scope.parse() {
            Ok(scope) => scope,
            Err(error) => panic!("the catalog's {scope:?} is no scope: {error}"),
        };
        assert!(
            scope.segments().all(|segment| segment != "*"),
            "the catalog's {scope:?} holds a `*`: list what there is, and allow wildcards with `Catalog::wildcards`"
        );
        Self {
            scope,
            parameters: Vec::new(),
            title: title.into(),
            description: "".into(),
            docs: None,
            restricted: false,
        }
    }

    /// Says that routes need this scope for one thing at a time: `per("id")` on `projects:read` is
    /// what a route with `projects:read:{id}` needs, so `projects:read:42` is a scope a token may
    /// hold.
    #[must_use]
    pub fn per(mut self, parameter: &str) -> Self {
        self.parameters.push(parameter.into());
        self
    }

    /// Lets only those actors grant this scope who name it in
    /// [`Actor::with_grantable_scopes`](crate::Actor::with_grantable_scopes), and the host's own
    /// program. Use it for what ordinary people must not be able to give their tokens.
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

    /// The scope, without its parameters.
    #[must_use]
    pub fn as_scope(&self) -> &Scope {
        &self.scope
    }

    /// The names given with [`per`](Self::per).
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().map(|name| &**name)
    }

    /// The title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Returns the description, which is empty if none was set.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Returns whether only actors who name this scope may grant it.
    #[must_use]
    pub fn is_restricted(&self) -> bool {
        self.restricted
    }

    /// Returns the link to the documentation.
    #[must_use]
    pub fn docs_url(&self) -> Option<&str> {
        self.docs.as_deref()
    }

    /// Whether a token that holds `grant` may do something this scope is about.
    fn knows_grant(&self, grant: &Scope, wildcards: bool) -> bool {
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

    fn knows_template(&self, needed: &ScopeTemplate) -> bool {
        let named = self.scope.segments().count();
        let parts = needed.parts();
        (named..=named + self.parameters.len()).contains(&parts.len())
            && self.scope.segments().zip(parts).all(|(name, part)| match part {
                Part::Literal(text) => **text == *name,
                Part::Parameter(_) => false,
            })
    }
}

impl Preset {
    /// The name that a request gives.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The title for people.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What it stands for.
    #[must_use]
    pub fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }
}

impl Catalog {
    /// A catalog that knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a scope.
    #[must_use]
    pub fn scope(mut self, scope: CatalogScope) -> Self {
        self.scopes.push(scope);
        self
    }

    /// Adds a named set of scopes that are in the catalog already, or cover some that are.
    ///
    /// # Panics
    ///
    /// One of the scopes is none, or is not in the catalog.
    #[must_use]
    #[track_caller]
    pub fn preset<T: AsRef<str>>(
        mut self,
        name: impl Into<Box<str>>,
        title: impl Into<Box<str>>,
        scopes: impl IntoIterator<Item = T>,
    ) -> Self {
        let name = name.into();
        let scopes: ScopeSet = scopes
            .into_iter()
            .map(|text| match text.as_ref().parse::<Scope>() {
                Ok(scope) if self.knows(&scope) => scope,
                Ok(scope) => panic!("preset {name:?} holds {scope}, which the catalog does not know: add the scope before the preset"),
                Err(error) => panic!("preset {name:?} holds {:?}: {error}", text.as_ref()),
            })
            .collect();
        self.presets.push(Preset { name, title: title.into(), scopes });
        self
    }

    /// Lets tokens hold `*` where the catalog names a segment (`*:read`). Without this, `*` stands
    /// only where a parameter would.
    #[must_use]
    pub fn wildcards(mut self, allowed: bool) -> Self {
        self.wildcards = allowed;
        self
    }

    /// Whether a token may hold this scope: it covers something the catalog lists.
    #[must_use]
    pub fn knows(&self, grant: &Scope) -> bool {
        self.scopes.iter().any(|scope| scope.knows_grant(grant, self.wildcards))
    }

    /// Returns whether a token that holds this scope could do something that is
    /// [restricted](CatalogScope::restricted).
    #[must_use]
    pub fn is_restricted(&self, grant: &Scope) -> bool {
        self.scopes.iter().any(|scope| scope.restricted && scope.knows_grant(grant, true))
    }

    /// Returns the scopes that an actor may grant, for people to choose from.
    pub fn grantable_by<'a>(
        &'a self,
        actor: &'a Actor,
    ) -> impl Iterator<Item = &'a CatalogScope> + 'a {
        self.scopes.iter().filter(|scope| actor.may_grant(&scope.scope, Some(self)))
    }

    /// Returns the presets of which an actor may grant every scope.
    pub fn presets_grantable_by<'a>(
        &'a self,
        actor: &'a Actor,
    ) -> impl Iterator<Item = &'a Preset> + 'a {
        let may_grant = |scope| actor.may_grant(scope, Some(self));
        self.presets.iter().filter(move |preset| preset.scopes.iter().all(may_grant))
    }

    /// The first scope that a requirement names and the catalog does not list.
    #[must_use]
    pub fn unknown_in(&self, requirement: &Requirement) -> Option<String> {
        requirement
            .templates()
            .into_iter()
            .find(|needed| !self.scopes.iter().any(|scope| scope.knows_template(needed)))
            .map(ToString::to_string)
    }

    /// The preset of that name.
    #[must_use]
    pub fn find_preset(&self, name: &str) -> Option<&Preset> {
        self.presets.iter().find(|preset| preset.name() == name)
    }

    /// The scopes, as they were added.
    #[must_use]
    pub fn scopes(&self) -> &[CatalogScope] {
        &self.scopes
    }

    /// The presets, as they were added.
    #[must_use]
    pub fn presets(&self) -> &[Preset] {
        &self.presets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> Catalog {
        Catalog::new()
            .scope(CatalogScope::new("projects:list", "List"))
            .scope(CatalogScope::new("projects:read", "Read").per("id"))
    }

    #[test]
    fn a_grant_is_known_when_it_covers_something_listed() {
        for (grant, known) in [
            ("projects", true),
            ("projects:list", true),
            ("projects:read", true),
            ("projects:read:42", true),
            ("projects:read:*", true),
            ("projects:read:42:7", false),
            ("projects:list:42", false),
            ("projects:*", false),
            ("*", false),
            ("project", false),
        ] {
            assert_eq!(catalog().knows(&grant.parse().unwrap()), known, "{grant}");
        }
        assert!(catalog().wildcards(true).knows(&"*:read:42".parse().unwrap()));
    }

    #[test]
    fn a_route_names_what_is_listed() {
        for (needed, known) in [
            ("projects:read:{id}", true),
            ("projects:read:{anything}", true),
            ("projects:read", true),
            ("projects:list", true),
            ("projects:list:{id}", false),
            ("projects", false),
            ("projects:reed:{id}", false),
            ("{x}:read:{id}", false),
        ] {
            let needed: Requirement = needed.parse().unwrap();
            assert_eq!(catalog().unknown_in(&needed).is_none(), known, "{needed}");
        }
    }

    #[test]
    #[should_panic(expected = "which the catalog does not know")]
    fn a_preset_of_unknown_scopes_is_a_start_up_error() {
        let _ = catalog().preset("full", "Everything", ["project"]);
    }
}
