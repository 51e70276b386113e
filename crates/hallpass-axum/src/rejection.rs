use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hallpass_tower::Refusal;
use http::HeaderMap;

/// A refusal as an axum rejection: renders as the layer around would.
#[derive(Debug)]
pub struct Rejection {
    refusal: Refusal,
    request: HeaderMap,
}

impl Rejection {
    /// A refusal of a request with these headers. Only the content type decides how it is rendered.
    pub(crate) fn new(refusal: Refusal, request: &HeaderMap) -> Self {
        let content_type = request.get(http::header::CONTENT_TYPE).cloned();
        let request =
            content_type.map(|value| (http::header::CONTENT_TYPE, value)).into_iter().collect();
        Self { refusal, request }
    }

    /// Why.
    #[must_use]
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.refusal.into_response(&self.request).map(Body::from)
    }
}
