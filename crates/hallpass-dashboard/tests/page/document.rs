//! The page in a document of its own, and its files.

use axum::Router;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Redirect};
use hallpass_axum::HallpassBuilderExt as _;
use hallpass_core::{Actor, Hallpass};
use hallpass_dashboard::Dashboard;
use hallpass_memory::MemoryStore;
use serde_json::{Value, json};

use crate::support::{
    ask, ask_bytes, attribute, dashboard, hallpass, page, resolve, settings, signed_in,
};

#[tokio::test]
async fn page_and_its_links_work_wherever_it_is_mounted() {
    let anywhere = [
        (dashboard().into_router_at("/settings/tokens"), "/settings/tokens"),
        (dashboard().into_router_at("/settings/tokens/"), "/settings/tokens/"),
        (dashboard().into_router_at("/"), "/"),
        (Router::new().nest("/deep/er", dashboard().into_router_at("/tokens")), "/deep/er/tokens"),
        (
            Router::new().nest("/of/{file}", dashboard().into_router_at("/tokens")),
            "/of/acme/tokens/",
        ),
        (
            Router::new().nest("/settings/tokens", dashboard().into_router_at("/")),
            "/settings/tokens",
        ),
    ];
    for (app, path) in anywhere {
        let answer = page(&app, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        let settings = settings(&answer.body);
        let api = settings["api"].as_str().expect("the API");
        let mut links = 0;
        let linked = ["href", "src"].into_iter().flat_map(|name| attribute(&answer.body, name));
        for link in linked.chain([api]).filter(|link| link.starts_with("./")) {
            let to = resolve(path, link).replace("&amp;", "&");
            let answer = page(&app, &to).await;
            assert_eq!(answer.status, StatusCode::OK, "{link} at {path} is {to}");
            links += 1;
        }
        assert_eq!(
            links, 5,
            "the page must link icon, style, script, the API and its preloaded list, at {path}"
        );
    }
}

#[tokio::test]
async fn unchanged_file_is_cached() {
    let app = dashboard().into_router_at("/tokens");
    let html = page(&app, "/tokens").await.body;
    let link = attribute(&html, "src").next().expect("a script").to_owned();
    let path = resolve("/tokens", &link);
    let file = ask(&app, Method::GET, &path, &[]).await;
    assert_eq!(file.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
    let tag = file.header("etag");
    let strong = tag
        .strip_prefix("W/")
        .expect("the ETag must be weak, because the plain and the compressed form share it");
    for sent in [tag, strong, &format!("\"x\", {tag}"), "*"] {
        let again = ask(&app, Method::GET, &path, &[("if-none-match", sent)]).await;
        assert_eq!((again.status, &*again.body), (StatusCode::NOT_MODIFIED, ""), "{sent}");
        assert_eq!(again.header("etag"), tag);
    }
    let other = ask(&app, Method::GET, &path, &[("if-none-match", "\"x\"")]).await;
    assert_eq!((other.status, other.body), (StatusCode::OK, file.body.clone()));
    let head = ask(&app, Method::HEAD, &path, &[]).await;
    assert_eq!((head.status, &*head.body), (StatusCode::OK, ""));

    // A page of another version gets the existing file, which is not cached.
    let elsewhere = path.replace(strong.trim_matches('"'), "0000000000000000");
    let answer = ask(&app, Method::GET, &elsewhere, &[("if-none-match", tag)]).await;
    assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"));
    for nowhere in ["nothing.js", "..%2Fpage.html", "page.html", "%00"] {
        let path = path.replace("hallpass.en.js", nowhere);
        assert_eq!(
            ask(&app, Method::GET, &path, &[]).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[tokio::test]
async fn every_response_has_the_security_headers() {
    let app = dashboard().into_router_at("/tokens");
    let file = attribute(&page(&app, "/tokens").await.body, "src")
        .next()
        .map(|link| resolve("/tokens", link));
    for (path, person) in
        [("/tokens", "alice"), ("/tokens", ""), (file.as_deref().expect("one"), "")]
    {
        let headers = [("x-person", person)];
        let answer =
            ask(&app, Method::GET, path, &headers[..usize::from(!person.is_empty())]).await;
        let policy: Vec<_> = answer.header("content-security-policy").split("; ").collect();
        for directive in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(&directive), "{directive} in {policy:?}");
        }
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
    }
    assert_eq!(page(&app, "/tokens").await.header("cache-control"), "no-store");
}

#[tokio::test]
async fn page_is_hidden_from_anonymous_visitors() {
    let plain = dashboard().into_router_at("/tokens");
    let answer = ask(&plain, Method::GET, "/tokens", &[]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.body.contains("not signed in") && !answer.body.contains("hallpass.en.js"));
    assert_eq!(answer.header("cache-control"), "no-store");

    assert!(
        !answer.body.contains("<script"),
        "without a sign-in address the page must have no script"
    );

    // The script adds the address of the view, which is in the fragment; the link works without it.
    let sent = dashboard().sign_in("/login?a&b").into_router_at("/tokens");
    let answer = ask(&sent, Method::GET, "/tokens", &[]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.body.contains(r#"<a id="sign-in" href="/login?a&amp;b">Sign in</a>"#));
    let script = attribute(&answer.body, "src").next().expect("a script");
    let script = ask(&sent, Method::GET, &resolve("/tokens", script), &[]).await;
    assert!(script.body.contains("location.replace"), "{}", script.body);
    // A token does not sign its owner in.
    let bearer = [("authorization", "Bearer hp_x")];
    assert_eq!(ask(&sent, Method::GET, "/tokens", &bearer).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn sign_in_errors_are_distinguished() {
    async fn says(parts: Parts) -> Result<Option<Actor>, axum::response::Response> {
        Err(match parts.headers.get("x-person").map(HeaderValue::as_bytes) {
            Some(b"forbidden") => StatusCode::FORBIDDEN.into_response(),
            Some(b"broken") => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            _ => Redirect::to("https://evil.example/").into_response(),
        })
    }
    let app = Dashboard::new(&hallpass(), says).into_router_at("/tokens");
    for (person, status) in [
        ("forbidden", StatusCode::FORBIDDEN),
        ("broken", StatusCode::SERVICE_UNAVAILABLE),
        ("", StatusCode::UNAUTHORIZED),
    ] {
        let answer = ask(&app, Method::GET, "/tokens", &[("x-person", person)]).await;
        assert_eq!(answer.status, status, "{person}");
        assert!(!answer.body.contains("<script") && !answer.has("location"), "{person}");
    }
}

#[tokio::test]
async fn page_contains_the_visitors_name_escaped() {
    let app = dashboard().into_router_at("/tokens");
    let html = ask(&app, Method::GET, "/tokens", &[("x-person", "root")]).await.body;
    assert_eq!(settings(&html)["person"], "root");
    assert_eq!(settings(&html)["admin"], true);

    let name = r#""><script>x</script>{{role}}'&"#;
    let html = ask(&app, Method::GET, "/tokens", &[("x-person", name)]).await.body;
    assert_eq!(settings(&html)["person"], name);
    assert_eq!(settings(&html)["admin"], false);
    assert_eq!(html.matches("<script").count(), 1);
}

#[tokio::test]
async fn page_lists_scopes_for_single_resources() {
    let html = page(&dashboard().into_router_at("/tokens"), "/tokens").await.body;
    let expected = json!({ "a:read": ["id"], "a:move": ["from", "to"] });
    assert_eq!(settings(&html)["parameters"], expected);
    assert_eq!(settings(&html)["forChosenOnly"], false);
    let limited = dashboard().for_chosen_resources_only().into_router_at("/tokens");
    assert_eq!(settings(&page(&limited, "/tokens").await.body)["forChosenOnly"], true);
}

#[tokio::test]
async fn api_is_mounted_unless_the_host_mounts_it() {
    let with = dashboard().with_api(|api| api.session_cookie("mine")).into_router_at("/tokens");
    let list = page(&with, "/tokens/api").await;
    assert_eq!(list.status, StatusCode::OK, "{}", list.body);
    assert!(page(&with, "/tokens/api/openapi.json").await.body.contains("mine"));
    assert_eq!(page(&with, "/tokens/api/nothing").await.status, StatusCode::NOT_FOUND);

    let without = dashboard().api("../v1/tokens?a&b").into_router_at("/tokens");
    let html = page(&without, "/tokens").await.body;
    assert_eq!(settings(&html)["api"], "../v1/tokens?a&b");
    assert_eq!(page(&without, "/tokens/api").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn api_of_the_page_requires_the_confirmation_of_the_handle() {
    let hallpass = Hallpass::builder(MemoryStore::new()).step_up(async |_, _| false).build();
    let app: Router = Dashboard::new(&hallpass, signed_in).into_router_at("/tokens");
    let headers = [("x-person", "alice")];
    let path = "/tokens/api/018f3c1e-7a2b-8c4d-9e5f-0123456789ab/revoke";
    let answer = ask(&app, Method::POST, path, &headers).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.body.contains("confirmation-required"), "{}", answer.body);
}

#[tokio::test]
async fn page_contains_the_paths_and_words_of_the_host() {
    let html = page(&dashboard().into_router_at("/tokens"), "/tokens").await.body;
    assert_eq!(
        settings(&html)["confirmation"],
        Value::Null,
        "without a value, the page uses the word for a password in its language"
    );
    assert_eq!(settings(&html)["example"], "/");
    let coded = dashboard().confirmation("one-time \"code\"").into_router_at("/tokens");
    let html = page(&coded, "/tokens").await.body;
    assert_eq!(settings(&html)["confirmation"], "one-time \"code\"");

    let app =
        dashboard().home("/x?a&b").theme("/my.css").sign_in("../login").into_router_at("/tokens");
    let html = page(&app, "/tokens").await.body;
    assert_eq!(settings(&html)["home"], "/x?a&b");
    assert_eq!(settings(&html)["signIn"], "../login");
    let own = html.find("hallpass.css").expect("the page's own style sheet is missing");
    assert!(
        html.find("/my.css").expect("the host's style sheet is missing") > own,
        "the host's style sheet must come after the page's own"
    );
}

#[test]
#[should_panic(expected = "percent-encoded path on this site")]
fn sign_in_on_another_site_is_a_start_up_error() {
    drop(dashboard().sign_in("//evil.example/login"));
}

#[test]
#[should_panic(expected = "must start with `/`")]
fn invalid_mount_path_is_a_start_up_error() {
    drop(dashboard().into_router_at("tokens"));
}

#[test]
#[should_panic(expected = "mounted elsewhere")]
fn api_at_another_path_cannot_be_configured_here() {
    drop(dashboard().api("/tokens").with_api(|api| api));
}

#[tokio::test]
async fn page_accepts_only_reading_methods() {
    let app = dashboard().into_router_at("/tokens");
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = ask(&app, method, "/tokens", &[("x-person", "alice")]).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    }
}

#[tokio::test]
async fn files_are_compressed_for_browsers_that_accept_it() {
    let app = dashboard().into_router_at("/tokens");
    let html = page(&app, "/tokens").await.body;
    let path = resolve("/tokens", attribute(&html, "src").next().expect("a script"));
    for (sent, encoded) in [
        ("gzip, deflate, br", true),
        ("br;q=1.0, GZIP;q=0.5", true),
        ("gzip;q=0", false),
        ("br", false),
        ("", false),
    ] {
        let answer = ask_bytes(&app, &path, &[("accept-encoding", sent)]).await;
        let (headers, bytes) = answer;
        assert_eq!(headers.get("content-encoding").is_some(), encoded, "{sent:?}");
        assert_eq!(headers["vary"], "accept-encoding");
        assert_eq!(bytes.starts_with(&[0x1f, 0x8b]), encoded, "{sent:?}");
        assert!(!encoded || bytes.len() < 45_000, "{} bytes", bytes.len());
    }
}

#[tokio::test]
async fn browsers_get_the_language_they_prefer() {
    let app = dashboard().into_router_at("/tokens");
    let in_german = [("x-person", "alice"), ("accept-language", "de-AT, en;q=0.5")];
    let answer = ask(&app, Method::GET, "/tokens", &in_german).await;
    assert!(answer.body.contains(r#"<html lang="de" dir="ltr">"#), "{}", answer.body);
    assert!(answer.body.contains("hallpass.de.js"));
    assert_eq!(answer.header("vary"), "accept-language");
    let notice = ask(&app, Method::GET, "/tokens", &in_german[1..]).await;
    assert!(notice.body.contains("Sie sind nicht angemeldet"));
}

#[tokio::test]
async fn page_has_one_language_for_all_browsers_if_the_host_sets_it() {
    let in_french = [("x-person", "alice"), ("accept-language", "fr")];
    let texts = r#"{"page.title": "Jetons"}"#;
    for (fixed, title) in [
        (dashboard().language("fr").texts("fr", texts), "Jetons"),
        (dashboard().texts("fr", texts).language("en"), "Personal access tokens"),
        (dashboard().language("en").texts("fr", texts), "Personal access tokens"),
    ] {
        let app = fixed.into_router_at("/tokens");
        let answer = ask(&app, Method::GET, "/tokens", &in_french).await;
        assert!(answer.body.contains(&format!("<title>{title}</title>")), "{}", answer.body);
    }
}

#[tokio::test]
async fn page_contains_the_links_and_header_of_the_host() {
    let app = dashboard()
        .link("Help & more", "https://docs.example.com/?a&b")
        .header("<nav id=\"host\"></nav>")
        .into_router_at("/tokens");
    let html = page(&app, "/tokens").await.body;
    assert!(html.contains(r#"<a href="https://docs.example.com/?a&amp;b">Help &amp; more</a>"#));
    assert!(html.contains(r#"<nav id="host"></nav>"#));
}

#[test]
#[should_panic(expected = "has no text")]
fn unknown_text_is_a_start_up_error() {
    drop(dashboard().texts("fr", r#"{"list.titel": "Jetons"}"#));
}

#[test]
#[should_panic(expected = "no texts in \"fr\"")]
fn language_without_texts_is_a_start_up_error() {
    drop(dashboard().language("fr").into_router_at("/tokens"));
}
