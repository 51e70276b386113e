//! API7 Cloud's envelope: `{"payload": ..., "status": {"code": 0, "message": "OK"}}`, and with an
//! error what went wrong.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hallpass::retry_after;
use hallpass::{Error, Rejection};
use serde_json::{Value, json};

/// A success, always 200: API7's own SDK takes nothing else for one.
pub(crate) fn ok(payload: Value) -> Json<Value> {
    Json(json!({ "payload": payload, "status": { "code": 0, "message": "OK" } }))
}

#[derive(Debug)]
pub(crate) struct Fault(StatusCode, String);

impl Fault {
    pub(crate) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self(status, error.into())
    }

    fn envelope(&self) -> Value {
        let Self(status, error) = self;
        // Six is the one number that API7 documents; the others are HTTP's.
        let code = if *status == StatusCode::UNAUTHORIZED { 6 } else { status.as_u16() };
        let message = status.canonical_reason().unwrap_or("refused").to_lowercase();
        json!({ "status": { "code": code, "message": message }, "error": error })
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Invalid(_) => StatusCode::BAD_REQUEST,
            Error::NotFound => StatusCode::NOT_FOUND,
            Error::Forbidden(_) => StatusCode::FORBIDDEN,
            Error::LimitReached { .. } | Error::Conflict => StatusCode::CONFLICT,
            // What is at fault here is told to whoever reads the log, not to whoever asks.
            _ if error.is_unavailable() => {
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, "try again shortly");
            }
            _ => return Self::new(StatusCode::INTERNAL_SERVER_ERROR, "this service is at fault"),
        };
        Self(status, error.to_string())
    }
}

impl From<JsonRejection> for Fault {
    fn from(rejection: JsonRejection) -> Self {
        let error = match rejection {
            // Its own text repeats what was sent.
            JsonRejection::JsonDataError(_) => {
                "a field is missing, unknown, given twice or of another type"
            }
            JsonRejection::JsonSyntaxError(_) => "the body is not JSON",
            other => return Self(other.status(), other.body_text()),
        };
        Self::new(StatusCode::BAD_REQUEST, error)
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = (self.0, Json(self.envelope())).into_response();
        if self.0 == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, retry_after().into());
        }
        response
    }
}

/// A refusal of Hallpass's layer: its status, its headers, its words.
pub(crate) fn refused(
    refusal: &Rejection,
    mut response: axum::http::Response<Bytes>,
) -> axum::http::Response<Bytes> {
    let fault = Fault::new(refusal.status(), refusal.detail());
    *response.body_mut() = fault.envelope().to_string().into();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Nothing is kept by caches, and what others refused (axum a path that is not UTF-8, Hallpass a
/// method) looks like the rest.
pub(crate) async fn in_envelope(mut response: Response) -> Response {
    let status = response.status();
    let json = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if (status.is_client_error() || status.is_server_error()) && !json {
        *response.body_mut() = Fault::new(status, "see `status`").into_response().into_body();
        response.headers_mut().remove(CONTENT_LENGTH);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
