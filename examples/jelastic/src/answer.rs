//! What every call answers: HTTP 200, always, and a `result` that says how it went.

use axum::Json;
use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, REFERRER_POLICY};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use hallpass::{Error, Rejection, RejectionKind};
use serde_json::{Value, json};

/// What a method answers.
pub(crate) type Answer = Result<Done, Fault>;

/// It went well; with these members besides `result`.
pub(crate) struct Done(pub(crate) Value);

/// It did not.
#[derive(Debug)]
pub(crate) struct Fault {
    result: u16,
    error: String,
}

impl Fault {
    pub(crate) fn bad(parameter: &str, what: impl std::fmt::Display) -> Self {
        Self { result: 3, error: format!("{parameter}: {what}") }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self { result: 5, error: format!("there is no such {what}") }
    }

    /// The platform's own code for what is nobody's fault outside. Never 701: a client would throw
    /// a good token away.
    pub(crate) fn trouble() -> Self {
        Self { result: 99, error: "the platform is in trouble: try again later".to_owned() }
    }

    pub(crate) fn authentication() -> Self {
        Self { result: 701, error: "authentication failed".to_owned() }
    }

    pub(crate) fn not_allowed() -> Self {
        Self { result: 8202, error: "the token does not allow this method".to_owned() }
    }

    fn body(&self) -> Value {
        json!({ "result": self.result, "error": self.error })
    }
}

impl IntoResponse for Done {
    fn into_response(self) -> axum::response::Response {
        let Self(mut body) = self;
        body["result"] = json!(0);
        private(body)
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> axum::response::Response {
        private(self.body())
    }
}

/// Passwords, sessions and tokens travel in URLs here: nothing may be kept on the way, nor be told
/// to other sites.
fn private(body: Value) -> axum::response::Response {
    ([(CACHE_CONTROL, "no-store"), (REFERRER_POLICY, "no-referrer")], Json(body)).into_response()
}

/// Hallpass's refusals in the platform's words. The headers stay as they are.
pub(crate) fn refused(refusal: &Rejection, mut response: Response<Bytes>) -> Response<Bytes> {
    let fault = match refusal.kind() {
        RejectionKind::InvalidRequest => Fault::bad("session", "give it once, in one place"),
        RejectionKind::NoCredential | RejectionKind::InvalidToken => Fault::authentication(),
        RejectionKind::InsufficientScope { .. } | RejectionKind::NotDeclared => {
            Fault::not_allowed()
        }
        _ => Fault::trouble(),
    };
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *response.body_mut() = fault.body().to_string().into();
    response
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::not_found("token"),
            Error::Invalid(faults) => {
                let sentences: Vec<_> = faults
                    .iter()
                    .map(|one| format!("{}: {}", ours(one.field), one.message))
                    .collect();
                Self { result: 3, error: sentences.join("; ") }
            }
            Error::Ended => {
                Self::bad("expiresAt", "the token has ended: regenerate it, with a new one")
            }
            Error::LimitReached { .. } => Self { result: 3, error: error.to_string() },
            Error::Forbidden(_) => Self::not_allowed(),
            _ => Self::trouble(),
        }
    }
}

/// The platform's name of a field of Hallpass's.
fn ours(field: &str) -> &str {
    match field {
        "name" => "description",
        "scopes" => "apiList",
        "expires" => "expiresAt",
        other => other,
    }
}
