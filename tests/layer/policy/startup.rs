//! Tests of mistakes that panic at start-up with a message that names the fix.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hallpass_core::{Catalog, CatalogScope, Hallpass, any_of, public};
use hallpass_memory::MemoryStore;
use hallpass_tower::{PolicyTable, TokenLayer, require};

fn panics_with<T>(what: impl FnOnce() -> T) -> String {
    match catch_unwind(AssertUnwindSafe(what)) {
        Ok(_) => panic!("the call did not panic"),
        Err(panic) => *panic.downcast::<String>().unwrap(),
    }
}

fn layer() -> TokenLayer {
    TokenLayer::new(&Hallpass::builder(MemoryStore::new()).build())
}

fn table() -> PolicyTable {
    PolicyTable::new()
}

#[test]
fn invalid_pattern_panics() {
    for (pattern, says) in [
        ("projects", r#"the pattern "projects" must start with `/`"#),
        ("", r#"the pattern "" must start with `/`"#),
        (
            "/p/:id",
            r#""/p/:id" is not in axum's syntax: write `{id}` for `:id`, `{*path}` for `*path`"#,
        ),
        (
            "/p/*rest",
            r#""/p/*rest" is not in axum's syntax: write `{id}` for `:id`, `{*path}` for `*path`"#,
        ),
        ("/p/{id", r#"invalid pattern "/p/{id": "#),
        ("/p/{*rest}/x", r#"invalid pattern "/p/{*rest}/x": "#),
        (
            "/a/{x}/b/{x}",
            r#"the pattern "/a/{x}/b/{x}" has two parameters {x}: use different names"#,
        ),
    ] {
        let message = panics_with(|| table().get(pattern, "p:read"));
        assert!(message.starts_with(says), "{pattern}: {message}");
    }
}

#[test]
fn conflicting_pattern_panics() {
    let message = panics_with(|| table().get("/p/{id}", "p:read").post("/p/{name}", "p:write"));
    assert!(message.starts_with(r#""/p/{name}" conflicts with another route: "#), "{message}");
}

#[test]
fn duplicate_rule_panics() {
    let message = panics_with(|| table().get("/p", "p:read").get("/p", "p:list"));
    assert_eq!(
        message,
        "there are two rules for GET /p: keep one of them, or combine them with `any_of` or \
         `all_of`"
    );
}

#[test]
fn invalid_requirement_panics() {
    for (scope, says) in [
        ("p:*", "a route cannot require \"p:*\": only the scopes of a token may contain `*`"),
        ("", "a route cannot require \"\": a scope cannot be empty"),
        ("p:{id", "a route cannot require \"p:{id\": a path parameter must be a whole segment"),
    ] {
        let message = panics_with(|| table().get("/p", scope));
        assert!(message.starts_with(says), "{message}");
    }
    let message = panics_with(|| table().get("/p", any_of::<&str>([])));
    assert!(message.starts_with("the list of `any_of` is empty"), "{message}");
    let message = panics_with(|| table().get("/p", any_of([public()])));
    assert!(message.starts_with("`public()` inside any_of"), "{message}");
}

#[test]
fn unknown_parameter_in_a_requirement_panics() {
    // In the second pattern, doubled braces are text and not a parameter.
    for (pattern, name) in [("/p/{project}", "id"), ("/p/{{id}}", "id")] {
        let message = panics_with(|| table().get(pattern, "p:read:{id}"));
        assert_eq!(
            message,
            format!(
                "p:read:{{id}} is bound to {{{name}}}, but the route {pattern} has no such \
                 parameter: use a parameter of the pattern, or write whole paths if it is a \
                 parameter of a nest"
            )
        );
    }
}

#[test]
fn scope_outside_of_the_catalog_panics() {
    let catalog = Catalog::new().scope(CatalogScope::new("projects", "Projects").per("project"));
    let hallpass = Hallpass::builder(MemoryStore::new()).catalog(catalog).build();
    let message =
        panics_with(|| TokenLayer::new(&hallpass).policy(table().get("/p", "readme:read")));
    assert_eq!(
        message,
        "GET /p requires readme:read, which the catalog does not list: add the scope to the \
         catalog (and a path parameter to its entry, with `.per(\"id\")`), or correct the route"
    );
}

#[test]
fn invalid_layer_setting_panics() {
    assert_eq!(
        panics_with(|| layer().realm("a \"b\"")),
        r#"invalid realm "a \"b\"": use printable ASCII without quotes and backslashes"#
    );
    assert_eq!(
        panics_with(|| layer().realm("")),
        r#"invalid realm "": use printable ASCII without quotes and backslashes"#
    );
    let message = panics_with(|| layer().realm("a\r\nset-cookie: x"));
    assert!(message.starts_with("invalid realm"), "{message}");
    // A message without arguments has the panic payload `&str`.
    let empty = catch_unwind(|| layer().query_parameters([""])).unwrap_err();
    assert_eq!(
        *empty.downcast::<&str>().unwrap(),
        "the name of a query parameter cannot be empty: to read no query parameter, use \
         `.bearer_only()`"
    );
}

#[test]
fn requirement_with_a_path_parameter_panics_without_a_route() {
    assert_eq!(
        panics_with(|| require("p:read:{id}")),
        "`require(p:read:{id})` is bound to the path parameter {id}, which a plain layer cannot \
         read: set the requirement in the policy table, or with `.scoped(..)` on the axum handler"
    );
    assert!(panics_with(|| require("p:*")).starts_with("a route cannot require \"p:*\""));
}

#[test]
fn fallible_constructors_return_errors_instead() {
    let error = table().try_route(http::Method::GET, "p", "p:read").unwrap_err();
    assert_eq!(error.to_string(), r#"the pattern "p" must start with `/`"#);
}
