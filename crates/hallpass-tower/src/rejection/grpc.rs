//! Rejections for gRPC clients: HTTP 200 with the gRPC status in headers, and no body.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};

use super::{Rejection, RejectionKind};

/// Returns the response in gRPC's trailers-only form.
pub(super) fn response(rejection: &Rejection) -> Response<Bytes> {
    let (status, message) = match rejection.kind() {
        RejectionKind::NoCredential
        | RejectionKind::InvalidRequest
        | RejectionKind::InvalidToken => ("16", "the token is missing or not valid"),
        RejectionKind::InsufficientScope { .. } | RejectionKind::NotDeclared => {
            ("7", "the token does not allow this")
        }
        RejectionKind::CrossSite => ("7", "the request came from another site"),
        RejectionKind::Unavailable => ("14", "the caller could not be checked"),
        RejectionKind::TooLarge => ("8", "the form is too large"),
        RejectionKind::Misconfigured | RejectionKind::Api { .. } => {
            ("13", "this service is not set up to check tokens here")
        }
    };
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("grpc-status", HeaderValue::from_static(status));
    headers.insert("grpc-message", HeaderValue::from_static(message));
    response
}
