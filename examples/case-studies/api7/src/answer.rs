//! API7 Cloud's envelope: `{"payload": ..., "status": {"code": 0, "message": "OK"}}`, and with an
//! error what went wrong.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hallpass::retry_after;
use hallpass::{Error, Rejection};
use serde_json::{Value, json};
use uuid::Uuid;

/// A success. The status is always 200, because API7's own SDK treats any other status as an error.
pub(crate) fn ok(payload: Value) -> Json<Value> {
    Json(json!({ "payload": payload, "status": { "code": 0, "message": "OK" } }))
}

#[derive(Debug)]
pub(crate) struct ApiError(StatusCode, String);

impl ApiError {
    pub(crate) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self(status, error.into())
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.0
    }

    fn envelope(&self) -> Value {
        let Self(status, error) = self;
        // API7 documents only the code 6. The other codes are those of HTTP.
        let code = if *status == StatusCode::UNAUTHORIZED { 6 } else { status.as_u16() };
        let message = status.canonical_reason().unwrap_or("rejected").to_lowercase();
        json!({ "status": { "code": code, "message": message }, "error": error })
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Invalid(_) => StatusCode::BAD_REQUEST,
            Error::NotFound => StatusCode::NOT_FOUND,
            Error::Forbidden(_) => StatusCode::FORBIDDEN,
            Error::LimitReached { .. } | Error::Conflict => StatusCode::CONFLICT,
            // The cause is logged, and not disclosed to the client.
            _ if error.is_unavailable() => {
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, "try again shortly");
            }
            _ => return Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error"),
        };
        Self(status, error.to_string())
    }
}

impl From<QueryRejection> for ApiError {
    fn from(_: QueryRejection) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "a query parameter is given twice or of another type")
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        let error = match rejection {
            // The error's own text repeats what was sent.
            JsonRejection::JsonDataError(_) => "a field is missing, given twice or of another type",
            JsonRejection::JsonSyntaxError(_) => "the body is not JSON",
            other => return Self(other.status(), other.body_text()),
        };
        Self::new(StatusCode::BAD_REQUEST, error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.0, Json(self.envelope())).into_response();
        if self.0 == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, retry_after().into());
        }
        response
    }
}

/// Puts a rejection of Hallpass's layer into API7's form. Status and headers stay.
pub(crate) fn write_rejection(
    rejection: &Rejection,
    mut response: axum::http::Response<Bytes>,
) -> axum::http::Response<Bytes> {
    let error = ApiError::new(rejection.status(), rejection.detail());
    *response.body_mut() = error.envelope().to_string().into();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Forbids caches to keep anything, and puts errors of axum, such as 405, into the same form.
pub(crate) async fn in_envelope(mut response: Response) -> Response {
    let status = response.status();
    let json = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if (status.is_client_error() || status.is_server_error()) && !json {
        *response.body_mut() = ApiError::new(status, "see `status`").into_response().into_body();
        response.headers_mut().remove(CONTENT_LENGTH);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    // The layer sets `private` if a handler sets nothing. The files of the page keep their value.
    if response.headers().get(CACHE_CONTROL).is_none_or(|value| value == "private") {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Adds an id to each response, which people can name in a support request.
pub(crate) async fn with_request_id(mut response: Response) -> Response {
    let id = HeaderValue::try_from(Uuid::new_v4().to_string()).expect("a UUID is a header value");
    response.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
    response
}
