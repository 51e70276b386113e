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
        ("projects", r#"a route's pattern starts with `/`; "projects" does not"#),
        ("", r#"a route's pattern starts with `/`; "" does not"#),
        (
            "/p/:id",
            r#""/p/:id" is not in axum's syntax: write `{id}` for `:id`, `{*path}` for `*path`"#,
        ),
        (
            "/p/*rest",
            r#""/p/*rest" is not in axum's syntax: write `{id}` for `:id`, `{*path}` for `*path`"#,
        ),
        ("/p/{id", r#""/p/{id" is no route's pattern: "#),
        ("/p/{*rest}/x", r#""/p/{*rest}/x" is no route's pattern: "#),
        ("/a/{x}/b/{x}", r#""/a/{x}/b/{x}" names two parameters {x}: give each a name of its own"#),
    ] {
        let message = panics_with(|| table().get(pattern, "p:read"));
        assert!(message.starts_with(says), "{pattern}: {message}");
    }
}

#[test]
fn conflicting_pattern_panics() {
    let message = panics_with(|| table().get("/p/{id}", "p:read").post("/p/{name}", "p:write"));
    assert!(message.starts_with(r#""/p/{name}" clashes with another route: "#), "{message}");
}

#[test]
fn duplicate_rule_panics() {
    let message = panics_with(|| table().get("/p", "p:read").get("/p", "p:list"));
    assert_eq!(
        message,
        "there are two rules for GET /p: keep one; `any_of` and `all_of` join requirements"
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
    assert!(
        message.starts_with("the list of `any_of` is empty"),
        "{message}"
    );
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
                "p:read:{{id}} is bound to {{{name}}}, but the route {pattern} has no such parameter: name it as the pattern does"
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
        "GET /p: readme:read names readme:read, which the catalog does not list: add it there, or mend the rule"
    );
}

#[test]
fn invalid_layer_setting_panics() {
    assert_eq!(
        panics_with(|| layer().realm("a \"b\"")),
        r#"a realm is printable ASCII without quotes or backslashes; "a \"b\"" is not"#
    );
    assert_eq!(
        panics_with(|| layer().realm("")),
        r#"a realm is printable ASCII without quotes or backslashes; "" is not"#
    );
    let message = panics_with(|| layer().realm("a\r\nset-cookie: x"));
    assert!(message.contains("is not"), "{message}");
    // A message without arguments has the panic payload `&str`.
    let empty = catch_unwind(|| layer().query_parameters([""])).unwrap_err();
    assert_eq!(
        *empty.downcast::<&str>().unwrap(),
        "a query parameter has a name; for none at all say `.bearer_only()`"
    );
}

#[test]
fn requirement_with_a_path_parameter_panics_without_a_route() {
    assert_eq!(
        panics_with(|| require("p:read:{id}")),
        "`require(p:read:{id})` is bound to the path parameter {id}, which a plain layer cannot see: say it in \
         the policy table, or with `.scoped(..)` on the axum handler"
    );
    assert!(panics_with(|| require("p:*")).starts_with("a route cannot require \"p:*\""));
}

#[test]
fn fallible_constructors_return_errors_instead() {
    let error = table().try_route(http::Method::GET, "p", "p:read").unwrap_err();
    assert_eq!(error.to_string(), r#"a route's pattern starts with `/`; "p" does not"#);
}
