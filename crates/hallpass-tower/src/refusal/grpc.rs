//! Refusals as gRPC clients read them: HTTP 200, the status in headers, no body.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Response, Version};

use super::{Rejection, RejectionKind};

/// How a refusal is written: as the client of the request reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// A status, a challenge, problem+json.
    Http,
    /// Status 200, with a `grpc-status`.
    Grpc,
}

impl Dialect {
    /// gRPC is `POST` over HTTP/2 with the content type `application/grpc`, or that with a suffix.
    /// By that header alone, anybody could ask for a 200 in a 401's place.
    #[must_use]
    pub fn of(method: &Method, version: Version, headers: &HeaderMap) -> Self {
        if *method == Method::POST && version == Version::HTTP_2 && says_grpc(headers) {
            Self::Grpc
        } else {
            Self::Http
        }
    }
}

fn says_grpc(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else { return false };
    match value.as_bytes().strip_prefix(b"application/grpc") {
        Some(rest) => matches!(rest.first(), None | Some(b'+' | b';')),
        None => false,
    }
}

/// The trailers-only form of a response.
pub(super) fn response(refusal: &Rejection) -> Response<Bytes> {
    let (status, message) = match refusal.kind() {
        RejectionKind::NoCredential
        | RejectionKind::InvalidRequest
        | RejectionKind::InvalidToken => ("16", "the token is missing or not valid"),
        RejectionKind::InsufficientScope { .. } | RejectionKind::NotDeclared => {
            ("7", "the token does not allow this")
        }
        RejectionKind::Unavailable => ("14", "the token could not be checked"),
        RejectionKind::TooLarge => ("8", "the form is larger than is read here"),
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
