//! Errors in Magistrala's form: a status and `{"message": "..."}`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hallpass::retry_after;
use hallpass::{Error, Rejection};
use serde_json::json;

#[derive(Debug)]
pub(crate) struct ApiError(StatusCode, String);

impl ApiError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self(status, message.into())
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.0
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Invalid(_) => StatusCode::BAD_REQUEST,
            Error::NotFound => StatusCode::NOT_FOUND,
            Error::Forbidden(_) => StatusCode::FORBIDDEN,
            Error::Stale { .. } | Error::Conflict | Error::LimitReached { .. } => {
                StatusCode::CONFLICT
            }
            // The cause is logged, and not disclosed to the client.
            _ if error.is_unavailable() => {
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, "try again shortly");
            }
            _ => return Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error"),
        };
        Self(status, error.to_string())
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
        let Self(status, message) = self;
        let mut response = (status, Json(json!({ "message": message }))).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, retry_after().into());
        }
        response
    }
}

/// Puts a rejection of Hallpass's layer into Magistrala's form. Status and headers stay.
pub(crate) fn write_rejection(
    rejection: &Rejection,
    mut response: axum::http::Response<Bytes>,
) -> axum::http::Response<Bytes> {
    *response.body_mut() = json!({ "message": rejection.detail() }).to_string().into();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Forbids caches to keep anything, and puts errors of axum, such as 405, into the same form.
pub(crate) async fn in_envelope(mut response: Response) -> Response {
    let status = response.status();
    let json = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if (status.is_client_error() || status.is_server_error()) && !json {
        let reason = status.canonical_reason().unwrap_or("rejected").to_lowercase();
        let envelope = ApiError::new(status, reason).into_response();
        *response.body_mut() = envelope.into_body();
        response.headers_mut().remove(axum::http::header::CONTENT_LENGTH);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    // The layer sets `private` if a handler sets nothing. The files of the page keep their value.
    if response.headers().get(CACHE_CONTROL).is_none_or(|value| value == "private") {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
