//! Rejections: the responses to requests that are not accepted, as specified by RFC 6750, RFC 9457
//! and gRPC.

mod challenge;
mod grpc;
mod kind;
mod problem;

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use hallpass_core::AuthError;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Extensions, HeaderValue, Method, Response, StatusCode};

pub(crate) use self::challenge::Realm;
pub use self::kind::RejectionKind;
use crate::metrics;
use crate::outage_log;
use crate::settings::RejectionSettings;

/// A rejected request. [`TokenLayer::on_rejection`](crate::TokenLayer::on_rejection) receives it.
///
/// It contains no part of the request's credential.
///
/// ```
/// use hallpass_core::Hallpass;
/// use hallpass_tower::{RejectionKind, TokenLayer};
/// # use hallpass_memory::MemoryStore;
///
/// let hallpass = Hallpass::builder(MemoryStore::new()).build();
/// let rejection = TokenLayer::new(&hallpass).realm("acme").rejection(RejectionKind::InvalidToken);
/// assert_eq!((rejection.status().as_u16(), rejection.error()), (401, Some("invalid_token")));
/// let response = rejection.into_response();
/// assert_eq!(
///     response.headers()["www-authenticate"],
///     r#"Bearer realm="acme", error="invalid_token", error_description="the token is not valid""#
/// );
/// ```
#[derive(Clone)]
pub struct Rejection {
    kind: RejectionKind,
    detail: Option<Cow<'static, str>>,
    settings: RejectionSettings,
}

/// The start of every problem's `type`. The kind follows, such as `invalid-token`.
pub const PROBLEM_TYPE_PREFIX: &str = "/problems/";

impl Rejection {
    pub(crate) fn new(kind: RejectionKind, settings: RejectionSettings) -> Self {
        Self { kind, detail: None, settings }
    }

    /// Replaces the detail, which is a sentence for people.
    pub(crate) fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Creates the rejection for a problem of the management API. hallpass-axum writes its body.
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

    /// Applies the host's own rendering to a response, if there is one.
    #[doc(hidden)]
    #[must_use]
    pub fn render(&self, response: Response<Bytes>) -> Response<Bytes> {
        match &self.settings.render {
            Some(render) => render.call(self, response),
            None => response,
        }
    }

    /// Logs a mistake in the set-up of the program, and returns the rejection for it. In debug
    /// builds its detail describes the mistake, too. In release builds only the log does, because
    /// anyone may see the response.
    pub(crate) fn misconfigured(
        mistake: &str,
        route: Option<&str>,
        settings: RejectionSettings,
    ) -> Self {
        tracing::error!(target: "hallpass", route, "{mistake}");
        let rejection = Self::new(RejectionKind::Misconfigured, settings);
        if cfg!(debug_assertions) {
            rejection.with_detail(format!("This service is set up wrongly: {mistake}."))
        } else {
            rejection
        }
    }

    pub(crate) fn kind_of(error: &AuthError) -> RejectionKind {
        match error {
            AuthError::Rejected(_) => RejectionKind::InvalidToken,
            // This covers outages and any kind that a later version adds. None of them means that
            // the token is invalid.
            _ => {
                outage_log::report(std::error::Error::source(error));
                RejectionKind::Unavailable
            }
        }
    }

    /// Returns the reason.
    #[must_use]
    pub fn kind(&self) -> &RejectionKind {
        &self.kind
    }

    /// Returns the status of the response. gRPC responses always have the status 200.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self.kind {
            RejectionKind::NoCredential | RejectionKind::InvalidToken => StatusCode::UNAUTHORIZED,
            RejectionKind::InvalidRequest => StatusCode::BAD_REQUEST,
            RejectionKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            RejectionKind::InsufficientScope { .. }
            | RejectionKind::NotDeclared
            | RejectionKind::CrossSite => StatusCode::FORBIDDEN,
            RejectionKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            RejectionKind::Misconfigured => StatusCode::INTERNAL_SERVER_ERROR,
            RejectionKind::Api { status, .. } => status,
        }
    }

    /// Returns a sentence for people that describes what was wrong with the request and how to
    /// correct it. A host that [renders](crate::TokenLayer::on_rejection) rejections itself can
    /// include it.
    #[must_use]
    pub fn detail(&self) -> &str {
        match &self.detail {
            Some(detail) => detail,
            None => self.kind.detail(),
        }
    }

    /// Returns the `error` of RFC 6750, section 3.1, if the response has one.
    #[must_use]
    pub fn error(&self) -> Option<&'static str> {
        match self.kind {
            RejectionKind::InvalidRequest => Some("invalid_request"),
            RejectionKind::InvalidToken => Some("invalid_token"),
            RejectionKind::InsufficientScope { .. } | RejectionKind::NotDeclared => {
                Some("insufficient_scope")
            }
            RejectionKind::NoCredential
            | RejectionKind::CrossSite
            | RejectionKind::TooLarge
            | RejectionKind::Unavailable
            | RejectionKind::Misconfigured
            | RejectionKind::Api { .. } => None,
        }
    }

    /// Returns the `WWW-Authenticate` of the response, or `None` for a 413 or a 5xx.
    #[must_use]
    pub fn challenge(&self) -> Option<HeaderValue> {
        self.settings.realm.challenge(&self.kind)
    }

    /// Returns the response: `problem+json`, the host's own rendering of it, or a gRPC status if
    /// the layer is set to [`grpc`](crate::TokenLayer::grpc). It always has `Cache-Control`, which
    /// is `no-store` unless the host sets another value.
    #[must_use]
    pub fn into_response(self) -> Response<Bytes> {
        tracing::debug!(target: "hallpass", kind = self.kind.as_str(), "request rejected");
        metrics::count_rejection(&self.kind);
        let mut response =
            if self.settings.grpc { grpc::response(&self) } else { self.render(self.problem()) };
        forbid_caching(&mut response);
        if !matches!(self.kind, RejectionKind::Api { .. }) {
            response.extensions_mut().insert(IsRejection);
        }
        response
    }

    /// Returns the response to a request with this method.
    pub(crate) fn into_response_to(self, method: &Method) -> Response<Bytes> {
        answering(self.into_response(), method)
    }

    fn problem(&self) -> Response<Bytes> {
        let problem = problem::of(&self.kind);
        let body = problem.body(&self.settings.type_prefix, self.detail.as_deref());
        let mut response = Response::new(body);
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

/// Prepares the response that the host's sign-in has given itself, like that of a rejection.
pub(crate) fn by_host(mut response: Response<Bytes>) -> Response<Bytes> {
    let status = response.status().as_u16();
    tracing::debug!(target: "hallpass", status, "request rejected by the sign-in");
    metrics::count_rejection(&RejectionKind::NoCredential);
    forbid_caching(&mut response);
    response.extensions_mut().insert(IsRejection);
    response
}

/// Sets `Cache-Control`, unless the host has set it.
fn forbid_caching(response: &mut Response<Bytes>) {
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// Returns a response as it is sent to a request with this method.
///
/// For `HEAD`, it has the headers of the body but not the body: over HTTP/2, hyper sends any body
/// it is given, and a client resets the stream when it receives one.
pub(crate) fn answering(mut response: Response<Bytes>, method: &Method) -> Response<Bytes> {
    if method == Method::HEAD {
        let length = std::mem::take(response.body_mut()).len();
        response.headers_mut().entry(CONTENT_LENGTH).or_insert(HeaderValue::from(length));
    }
    response
}

/// A mark in the extensions of a rejection's response. It shows the outer layer that an inner
/// service has rejected the request.
#[derive(Clone, Copy, Debug)]
struct IsRejection;

/// Returns whether the response is the rejection of an inner service.
pub(crate) fn is_rejection(extensions: &Extensions) -> bool {
    extensions.get::<IsRejection>().is_some()
}

/// The maximum number of headers of a rejection, including those that outer layers add.
const HEADERS: usize = 5;

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Returns the seconds for `Retry-After` of a 503: one to three in turn, so that the clients do not
/// all retry at once.
#[must_use]
pub fn retry_after() -> u32 {
    static TURN: AtomicU32 = AtomicU32::new(0);
    1 + TURN.fetch_add(1, Ordering::Relaxed) % 3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejection(kind: RejectionKind) -> Rejection {
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
            assert_eq!(rejection(kind).challenge().unwrap(), challenge);
        }
        assert!(rejection(RejectionKind::Unavailable).challenge().is_none());
        assert!(Realm::new("a\"b").is_err());
    }

    #[test]
    fn body_agrees_with_the_status() {
        for kind in RejectionKind::ALL {
            let rejection = rejection(kind.clone());
            let detail = rejection.detail().to_owned();
            let response = rejection.into_response();
            let body = std::str::from_utf8(response.body()).unwrap();
            let status = response.status().as_u16();
            assert!(body.contains(&format!(r#","status":{status},"#)), "{body}");
            assert!(body.starts_with(&format!(r#"{{"type":"{PROBLEM_TYPE_PREFIX}"#)), "{body}");
            assert!(body.ends_with(&format!(r#","detail":"{detail}"}}"#)), "{body}");
        }
    }

    #[test]
    fn outage_has_retry_after_and_no_challenge() {
        let response = rejection(RejectionKind::Unavailable).into_response();
        assert_eq!(response.status(), 503);
        let seconds: u32 = response.headers()[RETRY_AFTER].to_str().unwrap().parse().unwrap();
        assert!((1..=3).contains(&seconds));
        assert!(!response.headers().contains_key(WWW_AUTHENTICATE));
    }

    #[test]
    fn custom_detail_is_escaped() {
        let detail = "in the query parameter `a\"b\\\n`";
        let response = rejection(RejectionKind::InvalidRequest).with_detail(detail).into_response();
        let body = std::str::from_utf8(response.body()).unwrap();
        assert!(body.ends_with(r#""detail":"in the query parameter `a\"b\\\u000a`"}"#), "{body}");
    }

    #[test]
    fn grpc_requests_get_grpc_responses() {
        for (kind, code) in [
            (RejectionKind::NoCredential, "16"),
            (RejectionKind::InvalidRequest, "16"),
            (RejectionKind::TooLarge, "8"),
            (RejectionKind::InvalidToken, "16"),
            (RejectionKind::InsufficientScope { scope: "a".into() }, "7"),
            (RejectionKind::NotDeclared, "7"),
            (RejectionKind::CrossSite, "7"),
            (RejectionKind::Unavailable, "14"),
            (RejectionKind::Misconfigured, "13"),
        ] {
            let settings = RejectionSettings { grpc: true, ..RejectionSettings::default() };
            let response = Rejection::new(kind, settings).into_response();
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()["grpc-status"], code);
            assert_eq!(response.headers()[CONTENT_TYPE], "application/grpc");
            assert!(response.body().is_empty());
        }
    }
}
