use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error response of the projects API, as problem+json
/// ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)). The token API uses the same format.
pub(crate) struct Problem(pub(crate) StatusCode, pub(crate) String);

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self(rejection.status(), rejection.body_text())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self(status, detail) = self;
        let mut problem = json!({
            "type": "about:blank",
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "detail": detail,
        });
        if status == StatusCode::UNPROCESSABLE_ENTITY {
            problem["errors"] = json!([{ "field": "body", "message": detail }]);
        }
        let headers = [(CONTENT_TYPE, "application/problem+json"), (CACHE_CONTROL, "no-store")];
        (status, headers, Json(problem)).into_response()
    }
}
