//! Refusals: what a caller is told who is not let in, as RFC 6750, RFC 9457 and gRPC say.

mod challenge;
mod grpc;
mod problem;

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use hallpass_core::AuthError;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Extensions, HeaderValue, Method, Request, Response, StatusCode};

pub(crate) use self::challenge::Realm;
pub use self::grpc::Dialect;
use crate::measure;
use crate::outage_log;
use crate::settings::RejectionSettings;

/// Why a request is not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RejectionKind {
    /// No credential came: 401 and a bare challenge.
    NoCredential,
    /// What came is no credential, or several: 400 `invalid_request`.
    InvalidRequest,
    /// The form that may hold a credential is larger than is read: 413, no challenge. Only where
    /// forms are looked into.
    TooLarge,
    /// Malformed, unknown, wrong, expired, revoked, or its owner disabled: 401 `invalid_token`, and
    /// not a word on which.
    InvalidToken,
    /// The token is good and does not hold what the route needs: 403 `insufficient_scope`.
    InsufficientScope {
        /// What the route needs.
        scope: String,
    },
    /// Nobody declared what the route needs, so nobody is let in: 403.
    NotDeclared,
    /// It could not be found out whether the token is good: 503 with `Retry-After`, no challenge.
    Unavailable,
    /// The program is wired wrongly: 500. The log says how, and what to do.
    Misconfigured,
    /// A problem of hallpass-axum's management API, named by the end of its `type`.
    Api {
        /// The end of the `type`, such as `token-limit`.
        name: &'static str,
        /// The status of the answer.
        status: StatusCode,
    },
}

impl RejectionKind {
    /// The name used in logs and metrics: `no_credential`, `insufficient_scope`, ...
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NoCredential => "no_credential",
            Self::InvalidRequest => "invalid_request",
            Self::TooLarge => "too_large",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope { .. } => "insufficient_scope",
            Self::NotDeclared => "not_declared",
            Self::Unavailable => "unavailable",
            Self::Misconfigured => "misconfigured",
            Self::Api { name, .. } => name,
        }
    }

    /// Whether one whose token is good may be refused so.
    fn may_follow_admission(&self) -> bool {
        match self {
            Self::InvalidRequest
            | Self::InsufficientScope { .. }
            | Self::NotDeclared
            | Self::Misconfigured => true,
            Self::NoCredential
            | Self::TooLarge
            | Self::InvalidToken
            | Self::Unavailable
            | Self::Api { .. } => false,
        }
    }
}

/// A request that is not let in: what a host's own rendering is given.
///
/// It holds nothing of what came in.
#[derive(Clone)]
pub struct Rejection {
    kind: RejectionKind,
    detail: Option<Cow<'static, str>>,
    settings: RejectionSettings,
}

/// What every problem's `type` starts with; the kind follows, such as `invalid-token`.
pub const PROBLEM_TYPE_PREFIX: &str = "/problems/";

impl Rejection {
    pub(crate) fn new(kind: RejectionKind, settings: RejectionSettings) -> Self {
        Self { kind, detail: None, settings }
    }

    /// A problem of the management API. Its body is written by hallpass-axum.
    #[doc(hidden)]
    #[must_use]
    pub fn api(
        name: &'static str,
        status: StatusCode,
        detail: Cow<'static, str>,
        settings: &RejectionSettings,
    ) -> Self {
        let kind = RejectionKind::Api { name, status };
        Self { detail: Some(detail), ..Self::new(kind, settings.clone()) }
    }

    /// Renders a response in the host's own way, if it has one.
    #[doc(hidden)]
    #[must_use]
    pub fn render(&self, response: Response<Bytes>) -> Response<Bytes> {
        match &self.settings.render {
            Some(render) => render.call(self, response),
            None => response,
        }
    }

    /// A refusal where no layer is that could say more: the program is wired wrongly.
    pub(crate) fn misconfigured() -> Self {
        Self::new(RejectionKind::Misconfigured, RejectionSettings::default())
    }

    pub(crate) fn kind_of(denied: &AuthError) -> RejectionKind {
        match denied {
            AuthError::Rejected(_) => RejectionKind::InvalidToken,
            // An outage, and whatever a later version may add: never a verdict on the token.
            _ => {
                outage_log::report(denied);
                RejectionKind::Unavailable
            }
        }
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> &RejectionKind {
        &self.kind
    }

    /// The status of the answer, but for gRPC.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self.kind {
            RejectionKind::NoCredential | RejectionKind::InvalidToken => StatusCode::UNAUTHORIZED,
            RejectionKind::InvalidRequest => StatusCode::BAD_REQUEST,
            RejectionKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            RejectionKind::InsufficientScope { .. } | RejectionKind::NotDeclared => {
                StatusCode::FORBIDDEN
            }
            RejectionKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            RejectionKind::Misconfigured => StatusCode::INTERNAL_SERVER_ERROR,
            RejectionKind::Api { status, .. } => status,
        }
    }

    /// A sentence for people: what was wrong, and what would be right. For a host that
    /// [renders](crate::TokenLayer::on_rejection) refusals in its own words around ours.
    #[must_use]
    pub fn detail(&self) -> &str {
        match &self.detail {
            Some(detail) => detail,
            None => problem::of(&self.kind).detail,
        }
    }

    /// The `error` of RFC 6750, section 3.1, if the answer has one.
    #[must_use]
    pub fn error(&self) -> Option<&'static str> {
        match self.kind {
            RejectionKind::InvalidRequest => Some("invalid_request"),
            RejectionKind::InvalidToken => Some("invalid_token"),
            RejectionKind::InsufficientScope { .. } | RejectionKind::NotDeclared => {
                Some("insufficient_scope")
            }
            RejectionKind::NoCredential
            | RejectionKind::TooLarge
            | RejectionKind::Unavailable
            | RejectionKind::Misconfigured
            | RejectionKind::Api { .. } => None,
        }
    }

    /// The `WWW-Authenticate` of the answer: none for a 413 or a 5xx.
    #[must_use]
    pub fn challenge(&self) -> Option<HeaderValue> {
        self.settings.realm.challenge(&self.kind)
    }

    /// The answer in this dialect: gRPC, or problem+json, or what the host makes of that. Always
    /// `Cache-Control: no-store`.
    #[must_use]
    pub fn into_response(self, dialect: Dialect) -> Response<Bytes> {
        tracing::debug!(target: "hallpass", kind = self.kind.as_str(), "request refused");
        measure::refused(&self.kind);
        let mut response = match dialect {
            Dialect::Grpc => grpc::response(&self),
            Dialect::Http => self.render(self.problem()),
        };
        response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        if self.kind.may_follow_admission() {
            response.extensions_mut().insert(IsRefusal);
        }
        response
    }

    /// The answer to this request. For `HEAD` the body is only described: over HTTP/2, hyper sends
    /// what it is given, and a client that gets a body then gives the stream up.
    pub(crate) fn answer<B>(self, request: &Request<B>) -> Response<Bytes> {
        let dialect = Dialect::of(request.method(), request.version(), request.headers());
        let mut response = self.into_response(dialect);
        if request.method() == Method::HEAD {
            let length = std::mem::take(response.body_mut()).len();
            response.headers_mut().entry(CONTENT_LENGTH).or_insert(HeaderValue::from(length));
        }
        response
    }

    fn problem(&self) -> Response<Bytes> {
        let mut response = Response::new(problem::of(&self.kind).body(&self.settings.type_prefix));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.reserve(HEADERS);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge() {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if self.kind == RejectionKind::Unavailable {
            headers.insert(RETRY_AFTER, HeaderValue::from(retry_after()));
        }
        response
    }
}

/// In the extensions of a refusal's answer: tells the layer that let the request in that it was
/// refused after all.
#[derive(Clone, Copy, Debug)]
struct IsRefusal;

/// Whether an answer refuses a request that the layer had let in.
pub(crate) fn is_refusal(extensions: &Extensions) -> bool {
    extensions.get::<IsRefusal>().is_some()
}

/// The most headers that a refusal has, those that are added on its way out included.
const HEADERS: usize = 5;

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// The seconds of a `Retry-After` with a 503: one to three in turn, so that those who were sent
/// away do not come back all at once.
#[must_use]
pub fn retry_after() -> u32 {
    static TURN: AtomicU32 = AtomicU32::new(0);
    1 + TURN.fetch_add(1, Ordering::Relaxed) % 3
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Version};

    use super::*;

    fn refusal(kind: RejectionKind) -> Rejection {
        Rejection::new(kind, RejectionSettings::default().with_realm("acme"))
    }

    #[test]
    fn challenges_are_rfc_6750() {
        for (kind, challenge) in [
            (RejectionKind::NoCredential, r#"Bearer realm="acme""#),
            (
                RejectionKind::InvalidToken,
                r#"Bearer realm="acme", error="invalid_token", error_description="the token is not valid""#,
            ),
            (
                RejectionKind::InsufficientScope { scope: "a:b c".into() },
                r#"Bearer realm="acme", error="insufficient_scope", error_description="the token does not allow this", scope="a:b c""#,
            ),
        ] {
            assert_eq!(refusal(kind).challenge().unwrap(), challenge);
        }
        assert!(refusal(RejectionKind::Unavailable).challenge().is_none());
        assert!(Realm::new("a\"b").is_err());
    }

    #[test]
    fn a_body_says_what_the_status_says() {
        for kind in [
            RejectionKind::NoCredential,
            RejectionKind::InvalidRequest,
            RejectionKind::TooLarge,
            RejectionKind::InvalidToken,
            RejectionKind::InsufficientScope { scope: "a".into() },
            RejectionKind::NotDeclared,
            RejectionKind::Unavailable,
            RejectionKind::Misconfigured,
        ] {
            let refusal = refusal(kind);
            let detail = refusal.detail().to_owned();
            let response = refusal.into_response(Dialect::Http);
            let body = std::str::from_utf8(response.body()).unwrap();
            let status = response.status().as_u16();
            assert!(body.contains(&format!(r#","status":{status},"#)), "{body}");
            assert!(body.starts_with(&format!(r#"{{"type":"{PROBLEM_TYPE_PREFIX}"#)), "{body}");
            assert!(body.ends_with(&format!(r#","detail":"{detail}"}}"#)), "{body}");
        }
    }

    #[test]
    fn an_outage_says_when_to_come_back_and_nothing_of_the_token() {
        let response = refusal(RejectionKind::Unavailable).into_response(Dialect::Http);
        assert_eq!(response.status(), 503);
        let seconds: u32 = response.headers()[RETRY_AFTER].to_str().unwrap().parse().unwrap();
        assert!((1..=3).contains(&seconds));
        assert!(!response.headers().contains_key(WWW_AUTHENTICATE));
    }

    #[test]
    fn a_content_type_alone_turns_no_401_into_a_200() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        for (method, version) in [
            (Method::GET, Version::HTTP_2),
            (Method::POST, Version::HTTP_11),
            (Method::HEAD, Version::HTTP_2),
        ] {
            assert_eq!(
                Dialect::of(&method, version, &headers),
                Dialect::Http,
                "{method} {version:?}"
            );
        }
        assert_eq!(Dialect::of(&Method::POST, Version::HTTP_2, &HeaderMap::new()), Dialect::Http);
    }

    #[test]
    fn grpc_is_answered_as_grpc() {
        let mut request = HeaderMap::new();
        request.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc+proto"));
        for (kind, code) in [
            (RejectionKind::NoCredential, "16"),
            (RejectionKind::InvalidRequest, "16"),
            (RejectionKind::TooLarge, "8"),
            (RejectionKind::InvalidToken, "16"),
            (RejectionKind::InsufficientScope { scope: "a".into() }, "7"),
            (RejectionKind::NotDeclared, "7"),
            (RejectionKind::Unavailable, "14"),
            (RejectionKind::Misconfigured, "13"),
        ] {
            let response =
                refusal(kind).into_response(Dialect::of(&Method::POST, Version::HTTP_2, &request));
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()["grpc-status"], code);
            assert_eq!(response.headers()[CONTENT_TYPE], "application/grpc");
            assert!(response.body().is_empty());
        }
    }
}
