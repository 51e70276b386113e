//! Changes that another site makes a browser send.

use axum::http::Method;
use serde_json::json;

use crate::support::{Api, Sending, changing_calls};

/// Returns each change as a browser of root's would send it.
fn changes(api: &Api) -> Vec<Sending<'_>> {
    let with_slash = (Method::POST, "/".to_owned());
    changing_calls()
        .into_iter()
        .chain([with_slash])
        .map(|(method, path)| {
            api.send(method, &path)
                .by("root")
                .header("cookie", "id=1")
                .header("host", "example.com")
        })
        .collect()
}

#[tokio::test]
async fn cross_site_change_is_rejected() {
    let api = Api::new().await;
    let issued = api.post("").by("root").json(&json!({ "name": "ci" })).await;
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "null"),
        ("origin", "https://evil-example.com"),
        ("origin", "https://example.com.evil.org"),
        ("origin", "http://example.com:8080"),
    ] {
        for change in changes(&api) {
            change.header(name, value).send().await.rejected(403, "cross-site");
        }
    }
    assert!(api.works(issued.token()).await);
    assert_eq!(api.get("").by("root").send().await.json["total"], 1);
}

#[tokio::test]
async fn own_pages_trusted_pages_and_programs_are_accepted() {
    let api = Api::new().await;
    for headers in [
        &[][..],
        &[("sec-fetch-site", "same-origin"), ("origin", "https://example.com")],
        &[("origin", "http://example.com")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "cross-site"), ("origin", "https://app.example.org")],
    ] {
        let change = api.post("").header("cookie", "id=1").header("host", "example.com");
        let change =
            headers.iter().fold(change, |change, (name, value)| change.header(name, value));
        assert_eq!(change.json(&json!({ "name": "ci" })).await.status, 201, "{headers:?}");
    }
}

#[tokio::test]
async fn same_origin_passes_whatever_host_a_proxy_wrote() {
    let api = Api::new().await;
    let browser = || {
        let change = api.post("").header("cookie", "id=1").header("host", "upstream:8080");
        change.header("origin", "https://www.example.com")
    };
    for site in ["same-origin", "none"] {
        let change = browser().header("sec-fetch-site", site);
        assert_eq!(change.json(&json!({ "name": "ci" })).await.status, 201, "{site}");
    }
    // Without `Sec-Fetch-Site`, only the host is compared.
    browser().json(&json!({ "name": "ci" })).await.rejected(403, "cross-site");
}

#[tokio::test]
async fn cross_site_reads_pass_without_cors_headers() {
    let api = Api::new().await;
    let answer =
        api.get("").header("cookie", "id=1").header("origin", "https://evil.org").send().await.ok();
    assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control-")));
    let preflight = api.send(Method::OPTIONS, "").header("origin", "https://evil.org").send().await;
    preflight.rejected(405, "method-not-allowed");
}

#[tokio::test]
async fn anonymous_cross_site_changes_are_rejected() {
    let api = Api::new().await;
    for change in changes(&api) {
        let change = change.anonymous().header("origin", "null");
        change.send().await.rejected(403, "cross-site");
    }
}
