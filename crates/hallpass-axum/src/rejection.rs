//! Rejections of the layer as responses of axum handlers.
//!
//! A type of its own is necessary, because axum's `IntoResponse` and the layer's rejection are both
//! defined in other crates.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hallpass_tower::Rejection;

/// A rejection of Hallpass's layer as an axum rejection. It is rendered with the settings of the
/// layer around the handler.
///
/// ```
/// use axum::response::{IntoResponse, Response};
/// use hallpass_axum::{Authenticated, RejectionResponse};
///
/// // A handler that responds to a missing token in its own way.
/// async fn me(caller: Result<Authenticated, RejectionResponse>) -> Response {
///     match caller {
///         Ok(caller) => caller.owner().to_string().into_response(),
///         Err(error) => (error.rejection().status(), "sign in first").into_response(),
///     }
/// }
/// # let _: axum::routing::MethodRouter = axum::routing::get(me);
/// ```
#[derive(Debug)]
pub struct RejectionResponse(Rejection);

impl RejectionResponse {
    /// Returns why the request is rejected.
    #[must_use]
    pub fn rejection(&self) -> &Rejection {
        &self.0
    }
}

impl From<Rejection> for RejectionResponse {
    fn from(rejection: Rejection) -> Self {
        Self(rejection)
    }
}

impl IntoResponse for RejectionResponse {
    fn into_response(self) -> Response {
        self.0.into_response().map(Body::from)
    }
}
