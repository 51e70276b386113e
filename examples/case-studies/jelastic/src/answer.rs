//! The form of every answer: HTTP 200, and a `result` that is zero for success.

use axum::Json;
use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, REFERRER_POLICY};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use hallpass::{Error, Rejection, RejectionKind};
use serde_json::{Value, json};

/// The part of the platform that answers.
const SOURCE: &str = "JEL";

/// The answer of a method.
pub(crate) type Answer = Result<Success, ApiError>;

/// A success, with these members besides `result`.
pub(crate) struct Success(pub(crate) Value);

/// An error.
#[derive(Debug)]
pub(crate) struct ApiError {
    result: u16,
    error: String,
}

impl ApiError {
    pub(crate) fn bad(parameter: &str, what: impl std::fmt::Display) -> Self {
        Self { result: 3, error: format!("{parameter}: {what}") }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self { result: 5, error: format!("there is no such {what}") }
    }

    /// The platform's own code for inner errors. It is never 701, because a client would then
    /// discard a valid token.
    pub(crate) fn trouble() -> Self {
        Self { result: 99, error: "the platform is in trouble: try again later".to_owned() }
    }

    pub(crate) fn authentication() -> Self {
        Self { result: 701, error: "authentication failed".to_owned() }
    }

    pub(crate) fn not_allowed() -> Self {
        Self { result: 8202, error: "the token does not allow this method".to_owned() }
    }

    /// The HTTP status for pages, which have no `result`.
    pub(crate) fn http_status(&self) -> StatusCode {
        match self.result {
            701 => StatusCode::UNAUTHORIZED,
            99 => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn body(&self) -> Value {
        json!({ "result": self.result, "error": self.error, "reason": self.error, "source": SOURCE })
    }
}

impl IntoResponse for Success {
    fn into_response(self) -> axum::response::Response {
        let Self(mut body) = self;
        body["result"] = json!(0);
        body["source"] = json!(SOURCE);
        private(body)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> axum::response::Response {
        private(self.body())
    }
}

/// Forbids caches to keep the answer, and browsers to send the URL to other sites: passwords,
/// sessions and tokens are in URLs here.
fn private(body: Value) -> axum::response::Response {
    ([(CACHE_CONTROL, "no-store"), (REFERRER_POLICY, "no-referrer")], Json(body)).into_response()
}

/// Puts a rejection of Hallpass's layer into the platform's form. The headers stay.
pub(crate) fn write_rejection(
    rejection: &Rejection,
    mut response: Response<Bytes>,
) -> Response<Bytes> {
    let error = match rejection.kind() {
        RejectionKind::InvalidRequest => ApiError::bad("session", "give it once, in one place"),
        RejectionKind::NoCredential | RejectionKind::InvalidToken => ApiError::authentication(),
        RejectionKind::InsufficientScope { .. } | RejectionKind::NotDeclared => {
            ApiError::not_allowed()
        }
        _ => ApiError::trouble(),
    };
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *response.body_mut() = error.body().to_string().into();
    response
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::not_found("token"),
            Error::Invalid(faults) => {
                let sentences: Vec<_> = faults
                    .iter()
                    .map(|one| format!("{}: {}", parameter_of(one.field), one.message))
                    .collect();
                Self { result: 3, error: sentences.join("; ") }
            }
            Error::NotActive => {
                Self::bad("expiresAt", "the token has ended: regenerate it, with a new one")
            }
            Error::LimitReached { .. } => Self { result: 3, error: error.to_string() },
            Error::Forbidden(_) => Self::not_allowed(),
            _ => Self::trouble(),
        }
    }
}

/// Returns the platform's name of a field.
fn parameter_of(field: &str) -> &str {
    match field {
        "name" => "description",
        "scopes" => "apiList",
        "expires" => "expiresAt",
        other => other,
    }
}
