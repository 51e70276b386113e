//! The catalog of the scopes that an application defines.

mod entry;

use crate::actor::Actor;
use crate::log_once::LogOnce;
use crate::requirement::Requirement;
use crate::scope::{Scope, ScopeSet};

pub use entry::CatalogScope;

/// The scopes that an application defines, and presets: named sets of scopes.
///
/// With a catalog, a scope that it does not list is unknown, with these effects:
///
/// - Issuing a token with an unknown scope fails.
/// - A policy table or guarded router that names an unknown scope fails at start-up.
/// - A stored token that holds an unknown scope keeps it, but the scope allows nothing.
///
/// The token API lists the catalog at `GET /scopes`.
///
/// ```
/// use hallpass_core::{Catalog, CatalogScope};
///
/// let catalog = Catalog::new()
///     .scope(CatalogScope::new("projects:list", "List projects"))
///     .scope(CatalogScope::new("projects:read", "Read projects").per("id").with_docs_url("https://docs.example.com/read"))
///     .preset("read-only", "Look, don't touch", ["projects:list", "projects:read"]);
/// assert!(catalog.knows(&"projects:read:42".parse().unwrap()));
/// assert!(!catalog.knows(&"projects:reed".parse().unwrap()), "a typing error is found");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    scopes: Vec<CatalogScope>,
    presets: Vec<Preset>,
    wildcards: bool,
    /// The unknown scopes that the log has named.
    reported: LogOnce<Scope>,
}

/// A named set of scopes.
///
/// A preset is expanded when a token is issued. Changing the preset later does not change tokens.
#[derive(Clone, Debug)]
pub struct Preset {
    name: Box<str>,
    title: Box<str>,
    scopes: ScopeSet,
}

impl Preset {
    /// Returns the name that a request uses to select the preset.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the title for people.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Returns the scopes that the preset stands for.
    #[must_use]
    pub fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }
}

impl Catalog {
    /// Creates an empty catalog.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a scope.
    ///
    /// # Panics
    ///
    /// Panics if the catalog has this scope already, even if it has other parameters.
    #[must_use]
    #[track_caller]
    pub fn scope(mut self, scope: CatalogScope) -> Self {
        let name = scope.as_scope();
        assert!(
            self.scopes.iter().all(|known| known.as_scope() != name),
            "duplicate scope {name} in the catalog: remove one of the two entries"
        );
        self.scopes.push(scope);
        self
    }

    /// Adds a preset. Each of its scopes must be in the catalog already, or cover one that is.
    ///
    /// # Panics
    ///
    /// Panics if one of the scopes is invalid or unknown to the catalog, or if there is a preset of
    /// that name already.
    #[must_use]
    #[track_caller]
    pub fn preset<T: AsRef<str>>(
        mut self,
        name: impl Into<Box<str>>,
        title: impl Into<Box<str>>,
        scopes: impl IntoIterator<Item = T>,
    ) -> Self {
        let name = name.into();
        assert!(
            self.find_preset(&name).is_none(),
            "duplicate preset {name:?} in the catalog: give each preset a name of its own"
        );
        let mut known = Vec::new();
        // In a closure, a panic would not name the caller's line.
        for text in scopes {
            match text.as_ref().parse::<Scope>() {
                Ok(scope) if self.knows(&scope) => known.push(scope),
                Ok(scope) => panic!(
                    "unknown scope {scope} in preset {name:?}: add the scope to the catalog before \
                     the preset"
                ),
                Err(error) => {
                    panic!("invalid scope {:?} in preset {name:?}: {error}", text.as_ref())
                }
            }
        }
        let scopes = known.into_iter().collect();
        self.presets.push(Preset { name, title: title.into(), scopes });
        self
    }

    /// Sets whether tokens may hold `*` in place of a segment that the catalog names, as in
    /// `*:read`. By default, `*` may stand only in place of a parameter.
    #[must_use]
    pub fn wildcards(mut self, allowed: bool) -> Self {
        self.wildcards = allowed;
        self
    }

    /// Returns whether a token may hold this scope. It may if the scope covers one that the catalog
    /// lists.
    #[must_use]
    pub fn knows(&self, grant: &Scope) -> bool {
        self.scopes.iter().any(|scope| scope.knows_grant(grant, self.wildcards))
    }

    /// Returns whether to log a warning that the catalog does not list this scope.
    pub(crate) fn mark_reported(&self, unknown: &Scope) -> bool {
        self.reported.insert(unknown)
    }

    /// Returns whether this scope covers a [restricted](CatalogScope::restricted) one.
    #[must_use]
    pub fn is_restricted(&self, grant: &Scope) -> bool {
        self.scopes.iter().any(|scope| scope.is_restricted() && scope.knows_grant(grant, true))
    }

    /// Returns the scopes that an actor may put into a token.
    pub fn grantable_by<'a>(
        &'a self,
        actor: &'a Actor,
    ) -> impl Iterator<Item = &'a CatalogScope> + 'a {
        self.scopes.iter().filter(|scope| actor.may_grant(scope.as_scope(), Some(self)))
    }

    /// Returns the presets whose scopes an actor may all grant.
    pub fn presets_grantable_by<'a>(
        &'a self,
        actor: &'a Actor,
    ) -> impl Iterator<Item = &'a Preset> + 'a {
        let may_grant = |scope| actor.may_grant(scope, Some(self));
        self.presets.iter().filter(move |preset| preset.scopes.iter().all(may_grant))
    }

    /// Returns the first scope of a requirement that the catalog does not list.
    #[must_use]
    pub fn unknown_in(&self, requirement: &Requirement) -> Option<String> {
        requirement
            .templates()
            .into_iter()
            .find(|needed| !self.scopes.iter().any(|scope| scope.knows_template(needed)))
            .map(ToString::to_string)
    }

    /// Returns the preset with that name.
    #[must_use]
    pub fn find_preset(&self, name: &str) -> Option<&Preset> {
        self.presets.iter().find(|preset| preset.name() == name)
    }

    /// Returns the scopes in the order in which they were added.
    #[must_use]
    pub fn scopes(&self) -> &[CatalogScope] {
        &self.scopes
    }

    /// Returns the presets in the order in which they were added.
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
    fn grant_is_known_if_it_covers_a_listed_scope() {
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
    fn requirement_may_name_only_listed_scopes() {
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
            let requirement: Requirement = needed.parse().unwrap();
            assert_eq!(catalog().unknown_in(&requirement).is_none(), known, "{requirement}");
        }
    }

    #[test]
    #[should_panic(expected = "duplicate scope projects:read in the catalog")]
    fn scope_that_is_listed_twice_panics() {
        let _ = catalog().scope(CatalogScope::new("projects:read", "Read"));
    }

    #[test]
    #[should_panic(expected = "add each with `.per(..)`")]
    fn scope_with_a_path_parameter_panics() {
        let _ = CatalogScope::new("projects:read:{id}", "Read");
    }

    #[test]
    #[should_panic(expected = "write its name without braces")]
    fn parameter_with_braces_panics() {
        let _ = CatalogScope::new("projects:read", "Read").per("{id}");
    }

    #[test]
    #[should_panic(expected = "duplicate preset \"full\"")]
    fn preset_that_exists_already_panics() {
        let full = catalog().preset("full", "Everything", ["projects"]);
        let _ = full.preset("full", "More", ["projects:list"]);
    }

    #[test]
    #[should_panic(expected = "unknown scope project in preset \"full\"")]
    fn preset_with_an_unknown_scope_panics() {
        let _ = catalog().preset("full", "Everything", ["project"]);
    }
}
