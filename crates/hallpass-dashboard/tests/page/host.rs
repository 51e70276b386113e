//! The additions of the host: the names of people, and its own page around this one.

use axum::http::{Method, StatusCode};
use hallpass_dashboard::Dashboard;
use serde_json::{Value, json};

use crate::support::{ask, dashboard, page, resolve, settings};

/// Returns a page with a name for every person except root.
fn named() -> Dashboard {
    dashboard().person_names(async |ids: Vec<String>| {
        let known = ids.into_iter().filter(|id| id != "root");
        known.map(|id| (id.clone(), format!("<{id}>"))).collect::<Vec<_>>()
    })
}

#[tokio::test]
async fn only_admins_get_the_names_of_owners() {
    let app = named().into_router_at("/tokens");
    let names = "/tokens/owners?id=alice&id=b%26b&id=root&other=x";
    let root = [("x-person", "root")];
    let answer = ask(&app, Method::GET, names, &root).await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    let found: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(found, json!({ "alice": "<alice>", "b&b": "<b&b>" }));
    let many = format!("/tokens/owners?{}", "id=x&".repeat(201));
    assert_eq!(ask(&app, Method::GET, &many, &root).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(page(&app, names).await.status, StatusCode::FORBIDDEN);
    assert_eq!(ask(&app, Method::GET, names, &[]).await.status, StatusCode::FORBIDDEN);

    let html = ask(&app, Method::GET, "/tokens", &root).await.body;
    assert_eq!(settings(&html)["names"], "./tokens/owners");
    assert_eq!(settings(&page(&app, "/tokens").await.body)["names"], Value::Null);
    let unnamed = dashboard().into_router_at("/tokens");
    assert_eq!(ask(&unnamed, Method::GET, names, &root).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn host_sets_the_names_of_people_and_of_unnamed_tokens() {
    let html = page(&dashboard().into_router_at("/tokens"), "/tokens").await.body;
    assert_eq!(settings(&html)["name"], "alice");
    assert_eq!(settings(&html)["defaultName"], Value::Null);
    let app = named().default_name("\"token\" of {date}").into_router_at("/tokens");
    let html = page(&app, "/tokens").await.body;
    assert_eq!(settings(&html)["person"], "alice");
    assert_eq!(settings(&html)["name"], "<alice>");
    assert_eq!(settings(&html)["defaultName"], "\"token\" of {date}");
}

/// Returns the JSON in the script that shows the page inside a page of the host.
fn argument_of(script: &str) -> Value {
    let json = script.split_once("{ ...").and_then(|(_, rest)| rest.split_once(", base:"));
    serde_json::from_str(json.expect("the script has no settings").0).expect("JSON")
}

#[tokio::test]
async fn script_for_the_hosts_own_page_has_the_settings_of_the_visitor() {
    let app = dashboard().api("../v1").sign_in("/login").into_router_at("/deep/tokens");
    let answer = page(&app, "/deep/tokens/embed.js").await;
    assert_eq!(answer.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
    let argument = argument_of(&answer.body);
    assert_eq!(argument["settings"]["person"], "alice");
    assert_eq!(argument["settings"]["api"], "../../v1", "relative to the script");
    assert_eq!(argument["settings"]["signIn"], "/login");
    let files = answer.body.split('"').filter(|text| text.starts_with("./assets/"));
    let mut found = 0;
    for file in files {
        let file = resolve("/deep/tokens/embed.js", file);
        assert_eq!(ask(&app, Method::GET, &file, &[]).await.status, StatusCode::OK, "{file}");
        found += 1;
    }
    assert_eq!(found, 2, "a script and a style sheet");
}

#[tokio::test]
async fn script_for_the_hosts_own_page_has_a_notice_without_a_sign_in() {
    let app = dashboard().sign_in("../login").into_router_at("/tokens");
    let answer = ask(&app, Method::GET, "/tokens/embed.js", &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "a browser runs the script only with this status");
    let argument = argument_of(&answer.body);
    assert_eq!(argument["settings"], Value::Null);
    assert_eq!(argument["notice"]["title"], "You are not signed in");
    assert_eq!(argument["notice"]["signIn"], "../../login");
}
