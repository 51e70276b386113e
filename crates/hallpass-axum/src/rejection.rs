use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hallpass_tower::{Dialect, Refusal};
use http::request::Parts;

/// A refusal as an axum rejection: renders as the layer around would.
#[derive(Debug)]
pub struct Rejection {
    refusal: Refusal,
    dialect: Dialect,
}

impl Rejection {
    /// A refusal of this request.
    pub(crate) fn new(refusal: Refusal, request: &Parts) -> Self {
        let dialect = Dialect::of(&request.method, request.version, &request.headers);
        Self { refusal, dialect }
    }

    /// Why.
    #[must_use]
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.refusal.into_response(self.dialect).map(Body::from)
    }
}
