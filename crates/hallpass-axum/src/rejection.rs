use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hallpass_tower::Rejection;

/// A rejection of Hallpass's layer as an axum rejection. It is rendered with the settings of the
/// layer around the handler.
#[derive(Debug)]
pub struct RejectionResponse(Rejection);

impl RejectionResponse {
    pub(crate) fn new(rejection: Rejection) -> Self {
        Self(rejection)
    }

    /// Returns why the request is rejected.
    #[must_use]
    pub fn rejection(&self) -> &Rejection {
        &self.0
    }
}

impl IntoResponse for RejectionResponse {
    fn into_response(self) -> Response {
        self.0.into_response().map(Body::from)
    }
}
