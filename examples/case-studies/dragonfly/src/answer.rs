//! Errors in Dragonfly's form: `{"errors": ...}` for what is not valid, and `{"message": ...}` for
//! everything else.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{self, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hallpass::retry_after;
use hallpass::{Error, Rejection};
use serde_json::{Value, json};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

#[derive(Debug)]
pub(crate) struct ApiError(StatusCode, String);

impl ApiError {
    pub(crate) fn new(status: StatusCode, what: impl Into<String>) -> Self {
        Self(status, what.into())
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.0
    }

    pub(crate) fn invalid(what: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, what)
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Invalid(faults) => {
                let messages =
                    faults.iter().map(|one| format!("{}: {}", member_of(one.field), one.message));
                return Self::invalid(messages.collect::<Vec<_>>().join("; "));
            }
            Error::NotFound => StatusCode::NOT_FOUND,
            Error::Forbidden(_) => StatusCode::FORBIDDEN,
            Error::NotActive
            | Error::Stale { .. }
            | Error::Conflict
            | Error::LimitReached { .. } => StatusCode::CONFLICT,
            // The cause is logged, and not disclosed to the client.
            _ if error.is_unavailable() => {
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, "try again shortly");
            }
            _ => return Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error"),
        };
        Self(status, error.to_string())
    }
}

/// Returns Dragonfly's name of a field.
fn member_of(field: &str) -> &str {
    match field {
        "description" => "bio",
        "expires" => "expired_at",
        other => other,
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        match rejection {
            // The error's own text repeats what was sent.
            JsonRejection::JsonDataError(_) => {
                Self::invalid("a field is missing, given twice or of another type")
            }
            JsonRejection::JsonSyntaxError(_) => Self::invalid("the body is not JSON"),
            other => Self(other.status(), other.body_text()),
        }
    }
}

impl From<QueryRejection> for ApiError {
    fn from(_: QueryRejection) -> Self {
        Self::invalid("a query parameter is given twice or of another type")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self(status, what) = self;
        let name = if status == StatusCode::UNPROCESSABLE_ENTITY { "errors" } else { "message" };
        let mut response = (status, Json(json!({ name: what }))).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, retry_after().into());
        }
        response
    }
}

/// Puts a rejection of Hallpass's layer into Dragonfly's form. Status and headers stay.
pub(crate) fn write_rejection(
    _: &Rejection,
    response: http::Response<Bytes>,
) -> http::Response<Bytes> {
    let (mut parts, body) = response.into_parts();
    let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
    parts.headers.insert(CONTENT_TYPE, JSON);
    http::Response::from_parts(parts, json!({ "message": problem["detail"] }).to_string().into())
}

/// Forbids caches to keep anything, and puts errors of axum, such as 405, into the same form.
pub(crate) async fn in_envelope(mut response: Response) -> Response {
    let status = response.status();
    let is_json = response.headers().get(CONTENT_TYPE) == Some(&JSON);
    if (status.is_client_error() || status.is_server_error()) && !is_json {
        let reason = status.canonical_reason().unwrap_or_default().to_lowercase();
        *response.body_mut() = ApiError::new(status, reason).into_response().into_body();
        response.headers_mut().remove(CONTENT_LENGTH);
        response.headers_mut().insert(CONTENT_TYPE, JSON);
    }
    // The layer sets `private` if a handler sets nothing. The files of the page keep their value.
    if response.headers().get(CACHE_CONTROL).is_none_or(|value| value == "private") {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
