//! Refusals as gRPC clients read them: HTTP 200, the status in headers, no body.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response};

use super::{Refusal, RefusalKind};

/// Whether the request's content type is `application/grpc`, or that with a suffix.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else { return false };
    match value.as_bytes().strip_prefix(b"application/grpc") {
        Some(rest) => matches!(rest.first(), None | Some(b'+' | b';')),
        None => false,
    }
}

/// The trailers-only form of a response.
pub(super) fn response(refusal: &Refusal) -> Response<Bytes> {
    let (status, message) = match refusal.kind() {
        RefusalKind::NoCredential | RefusalKind::InvalidRequest | RefusalKind::InvalidToken => {
            ("16", "the token is missing or not valid")
        }
        RefusalKind::InsufficientScope { .. } | RefusalKind::NotDeclared => {
            ("7", "the token does not allow this")
        }
        RefusalKind::Unavailable => ("14", "the token could not be checked"),
        RefusalKind::Misconfigured => ("13", "this service is not set up to check tokens here"),
    };
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("grpc-status", HeaderValue::from_static(status));
    headers.insert("grpc-message", HeaderValue::from_static(message));
    response
}
