//! Helpers that send requests to a router and read its responses.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
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
