//! Helpers that send requests to a router and read its responses.

use axum::Router;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use hallpass_core::{Actor, Catalog, CatalogScope, Hallpass};
use hallpass_dashboard::Dashboard;
use hallpass_memory::MemoryStore;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

/// The response to a request.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// Returns the only header of that name.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().expect("text"),
            _ => panic!("expected exactly one {name}: {:?}", self.headers),
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }
}

/// Sends a request and reads the body as text.
pub(crate) async fn ask(
    app: &Router,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let (status, headers, bytes) = send(app, method, path, headers).await;
    Answer { status, headers, body: String::from_utf8(bytes).expect("text") }
}

/// Sends a request and reads the body as bytes.
pub(crate) async fn ask_bytes(
    app: &Router,
    path: &str,
    headers: &[(&str, &str)],
) -> (HeaderMap, Vec<u8>) {
    let (_, headers, bytes) = send(app, Method::GET, path, headers).await;
    (headers, bytes)
}

async fn send(
    app: &Router,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> (StatusCode, HeaderMap, Vec<u8>) {
    let request = headers
        .iter()
        .fold(Request::builder().method(method).uri(path), |request, (name, value)| {
            request.header(*name, *value)
        })
        .body(Body::empty())
        .expect("a request");
    let response = app.clone().oneshot(request).await.expect("a router never fails");
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes();
    (parts.status, parts.headers, bytes.to_vec())
}

/// Returns the values of all attributes of that name, as they are written.
pub(crate) fn attribute<'h>(html: &'h str, name: &str) -> std::vec::IntoIter<&'h str> {
    let opening = format!(" {name}=\"");
    let values = html.split(&opening).skip(1).filter_map(|rest| rest.split('"').next());
    values.collect::<Vec<_>>().into_iter()
}

pub(crate) fn hallpass() -> Hallpass {
    let catalog = Catalog::new()
        .scope(CatalogScope::new("a:list", "List"))
        .scope(CatalogScope::new("a:read", "Read").per("id"))
        .scope(CatalogScope::new("a:move", "Move").per("from").per("to"));
    Hallpass::builder(MemoryStore::new()).catalog(catalog).build()
}

/// Returns the person that the header names.
pub(crate) async fn signed_in(parts: Parts) -> Option<Actor> {
    let name = parts.headers.get("x-person")?.to_str().ok()?;
    Some(if name == "root" { Actor::admin(name) } else { Actor::owner(name) })
}

pub(crate) fn dashboard() -> Dashboard {
    Dashboard::new(&hallpass(), signed_in)
}

pub(crate) async fn page(app: &Router, path: &str) -> Answer {
    ask(app, Method::GET, path, &[("x-person", "alice")]).await
}

/// Returns the settings that the page contains.
#[track_caller]
pub(crate) fn settings(html: &str) -> Value {
    let content = attribute(html, "content").find(|content| content.starts_with('{'));
    let json = content.expect("the page has no settings").replace("&quot;", "\"");
    let json = json.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'");
    serde_json::from_str(&json.replace("&amp;", "&")).expect("the settings are no JSON")
}

/// Resolves a link in the page.
pub(crate) fn resolve(base: &str, link: &str) -> String {
    let directory = &base[..=base.rfind('/').unwrap_or_default()];
    format!("{directory}{}", link.strip_prefix("./").unwrap_or(link))
}
