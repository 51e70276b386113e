//! The page behind a proxy: its links are relative, and its changes succeed.

use crate::site::Site;
use crate::{KEEPING_HOST, MERGING};

/// TLS ends here, on a port of its own.
const TLS: &str = "listen {listen} ssl; ssl_certificate {certificate}; ssl_certificate_key {key}; \
     location /app/ { proxy_pass http://{app}/; }";

/// Replaces the TLS of the client: it connects to the block before it over TLS, and checks the
/// certificate.
const TLS_CLIENT: &str = "listen {listen}; location / { proxy_pass https://{listen:2}; \
     proxy_ssl_trusted_certificate {certificate}; proxy_ssl_verify on; proxy_ssl_name localhost; \
     proxy_set_header Host app.example; }";

const ALICE: &str = "cookie: person=alice";
const PAGE: &str = "/app/settings/tokens";

async fn site() -> Site {
    Site::new(&[MERGING, KEEPING_HOST, TLS, TLS_CLIENT]).await
}

/// The blocks that a browser connects to, with the origin that it then sends.
fn entrances(site: &Site) -> [(usize, String); 3] {
    let http = |block| format!("http://{}", site.address(block));
    [(0, http(0)), (1, http(1)), (3, "https://app.example".to_owned())]
}

/// Resolves a relative reference below the folder of the page.
fn resolve(reference: &str) -> String {
    assert!(!reference.starts_with('/') && !reference.contains("://"), "{reference}");
    let mut segments: Vec<_> = PAGE.split('/').collect();
    segments.pop();
    for segment in reference.trim_start_matches("./").split('/') {
        match segment {
            ".." => drop(segments.pop()),
            "." => {}
            name => segments.push(name),
        }
    }
    segments.join("/")
}

/// The value of this attribute in the page.
fn attribute<'p>(page: &'p str, name: &str) -> &'p str {
    let (_, rest) = page.split_once(&format!("{name}=\"")).expect(name);
    rest.split('"').next().unwrap()
}

/// The link to the API in the settings of the page.
fn api(page: &str) -> String {
    let settings = attribute(page, "name=\"hallpass\" content").replace("&quot;", "\"");
    let settings: serde_json::Value = serde_json::from_str(&settings).expect("settings");
    settings["api"].as_str().expect("a link").to_owned()
}

#[tokio::test]
async fn page_finds_its_files_and_its_api_below_the_prefix() {
    let site = site().await;
    for (block, _) in entrances(&site) {
        let page = site.send(block, &format!("GET {PAGE}"), &[ALICE], "").await;
        assert_eq!(page.status, 200, "{page:?}");
        let (_, script) = page.body.split_once("<script type=\"module\"").expect("a script");
        for file in [attribute(script, "src"), attribute(&page.body, "rel=\"stylesheet\" href")] {
            let answer = site.send(block, &format!("GET {}", resolve(file)), &[ALICE], "").await;
            assert_eq!(answer.status, 200, "{file}");
        }
        let api = resolve(&api(&page.body));
        let list = site.send(block, &format!("GET {api}"), &[ALICE], "").await;
        assert_eq!(list.status, 200, "{api} {list:?}");
    }
}

#[tokio::test]
async fn changes_of_the_page_are_made() {
    let site = site().await;
    for (block, origin) in entrances(&site) {
        let page = site.send(block, &format!("GET {PAGE}"), &[ALICE], "").await;
        let api = resolve(&api(&page.body));
        let origin = format!("origin: {origin}");
        let lines = [ALICE, "sec-fetch-site: same-origin", &origin];
        let call =
            async |request: String, body: &str| site.send(block, &request, &lines, body).await;
        let issued = call(format!("POST {api}"), r#"{"name": "a", "scopes": ["projects"]}"#).await;
        assert_eq!(issued.status, 201, "{issued:?}");
        // A browser resolves it against the requested URL, which has no trailing slash.
        let folder = api.rsplit_once('/').unwrap().0;
        let location = issued.header("location").expect("a location");
        assert!(!location.starts_with('/') && !location.contains("://"), "{location}");
        let token = format!("{folder}/{location}");
        let shown = call(format!("GET {token}"), "").await;
        assert_eq!(shown.json()["id"], issued.json()["id"], "{token}");
        for (request, body, owed) in [
            (format!("PATCH {token}"), r#"{"name": "b"}"#, 200),
            (format!("POST {token}/regenerate"), "", 200),
            (format!("POST {token}/scopes/remove"), r#"{"scopes": ["projects"]}"#, 200),
            (format!("POST {token}/revoke"), "", 200),
            (format!("DELETE {token}"), "", 204),
            (format!("GET {token}"), "", 404),
        ] {
            let answer = call(request.clone(), body).await;
            assert_eq!(answer.status, owed, "{request} {answer:?}");
        }
    }
}

#[tokio::test]
async fn other_sites_change_nothing() {
    let site = site().await;
    let create = format!("POST {PAGE}/api");
    let body = r#"{"name": "a"}"#;
    for (block, origin) in entrances(&site) {
        let own = format!("origin: {origin}");
        for lines in [
            &[ALICE, "sec-fetch-site: cross-site", &own][..],
            &[ALICE, "sec-fetch-site: same-site", &own],
            &[ALICE, "origin: https://evil.example"],
            &[ALICE, "origin: null"],
        ] {
            let answer = site.send(block, &create, lines, body).await;
            assert_eq!(answer.status, 403, "{lines:?} {answer:?}");
            assert!(answer.body.contains("cross-site"), "{answer:?}");
        }
        // For a browser that sends only the origin, the proxy must pass the host on.
        let answer = site.send(block, &create, &[ALICE, &own], body).await;
        assert_eq!(answer.status, if block == 1 { 201 } else { 403 }, "{answer:?}");
    }
}
