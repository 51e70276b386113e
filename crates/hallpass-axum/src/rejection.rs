use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hallpass_tower::{Dialect, Rejection};
use http::request::Parts;

/// A refusal as an axum rejection: renders as the layer around would.
#[derive(Debug)]
pub struct RejectionResponse {
    refusal: Rejection,
    dialect: Dialect,
}

impl RejectionResponse {
    /// A refusal of this request.
    pub(crate) fn new(refusal: Rejection, request: &Parts) -> Self {
        let dialect = Dialect::of(&request.method, request.version, &request.headers);
        Self { refusal, dialect }
    }

    /// Why.
    #[must_use]
    pub fn refusal(&self) -> &Rejection {
        &self.refusal
    }
}

impl IntoResponse for RejectionResponse {
    fn into_response(self) -> Response {
        self.refusal.into_response(self.dialect).map(Body::from)
    }
}
