//! Problems: the errors of the API, as [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) specifies
//! them.
//!
//! A handler returns a [`Problem`] as its error. It becomes a response with only a status, and the
//! problem is attached to it as an extension. The middleware around all calls then reports and
//! renders it, because only there are the handle, its settings and the origin of the request known.

use std::borrow::Cow;
use std::fmt::Display;

use axum::body::{Body, Bytes};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hallpass_core::__private::Throttle;
use hallpass_core::{
    AuthError, Error, FieldError, Hallpass, Origin, Owner, PermissionError, Principal,
    RejectReason, TokenId,
};
use hallpass_tower::{Rejection, RejectionKind, RejectionSettings, retry_after};
use serde::Serialize;
use utoipa::ToSchema;

use crate::headers;

/// Defines the kinds of problems: the status, the end of the `type`, and the title.
macro_rules! kinds {
    ($($kind:ident: $status:ident, $slug:literal, $title:literal;)*) => {
        /// The kinds of problems, in the order of their statuses.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Kind { $($kind),* }

        impl Kind {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$kind),*];

            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$kind => StatusCode::$status),* }
            }

            /// The end of the `type`.
            pub(crate) const fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug),* }
            }

            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$kind => $title),* }
            }
        }
    };
}

kinds! {
    InvalidRequest: BAD_REQUEST, "invalid-request", "Invalid request";
    MalformedJson: BAD_REQUEST, "malformed-json", "Malformed JSON";
    NoCaller: UNAUTHORIZED, "no-caller", "Not signed in";
    NoCredential: UNAUTHORIZED, "no-credential", "No credential";
    InvalidToken: UNAUTHORIZED, "invalid-token", "Invalid token";
    CrossSite: FORBIDDEN, "cross-site", "Cross-site request";
    TokenNotAllowed: FORBIDDEN, "token-not-allowed", "Token not allowed";
    CallerRejected: FORBIDDEN, "caller-rejected", "Caller rejected";
    ConfirmationRequired: FORBIDDEN, "confirmation-required", "Confirmation required";
    ConfirmationFailed: FORBIDDEN, "confirmation-failed", "Confirmation failed";
    AdminOnly: FORBIDDEN, "admin-only", "Only for admins";
    OwnerOnly: FORBIDDEN, "owner-only", "Only for the owner";
    ScopeNotGrantable: FORBIDDEN, "scope-not-grantable", "Scope not grantable";
    OwnerDisabled: FORBIDDEN, "owner-disabled", "Account disabled";
    NotFound: NOT_FOUND, "not-found", "Not found";
    MethodNotAllowed: METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed";
    TokenLimit: CONFLICT, "token-limit", "Token limit reached";
    Conflict: CONFLICT, "conflict", "Concurrent change";
    Ended: CONFLICT, "ended", "Token expired or revoked";
    Referenced: CONFLICT, "referenced", "Token is referenced";
    Stale: PRECONDITION_FAILED, "stale", "Stale revision";
    TooLarge: PAYLOAD_TOO_LARGE, "too-large", "Too large";
    NotJson: UNSUPPORTED_MEDIA_TYPE, "not-json", "Not JSON";
    Invalid: UNPROCESSABLE_ENTITY, "invalid", "Invalid";
    TooManyAttempts: TOO_MANY_REQUESTS, "too-many-attempts", "Too many attempts";
    Internal: INTERNAL_SERVER_ERROR, "internal", "Internal error";
    Unavailable: SERVICE_UNAVAILABLE, "unavailable", "Unavailable";
    OutcomeUnknown: SERVICE_UNAVAILABLE, "outcome-unknown", "Outcome unknown";
}

/// An error of the API. It repeats nothing from the request except names of fields.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    kind: Kind,
    detail: Cow<'static, str>,
    errors: Vec<FieldProblem>,
    /// The maximum number of tokens, and the number that there are.
    limit: Option<(u32, u64)>,
    /// The number of seconds to wait before a retry.
    retry_after: Option<u32>,
    /// The owner whose request was rejected, if known.
    owner: Option<Owner>,
    token_id: Option<TokenId>,
}

/// The error of one field.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FieldProblem {
    /// The field or query parameter, or `body`.
    pub(crate) field: Cow<'static, str>,
    /// The reason why the field is invalid, and how to correct it.
    pub(crate) message: String,
}

/// An error, as [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) specifies it.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemView<'p> {
    /// The kind of problem: a stable URI reference.
    #[schema(example = "/problems/token-limit", format = "uri-reference")]
    r#type: String,
    /// The kind of problem, for people.
    title: &'static str,
    /// The status of the response.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// A sentence for people about this occurrence.
    detail: &'p str,
    /// With 422: the error of each invalid field.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'p [FieldProblem],
    /// With `token-limit`: how many tokens an owner may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    limit: Option<u32>,
    /// With `token-limit`: how many tokens the owner has.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    in_use: Option<u64>,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            errors: Vec::new(),
            limit: None,
            retry_after: None,
            owner: None,
            token_id: None,
        }
    }

    /// Creates a 422 for one field.
    pub(crate) fn invalid(field: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::invalid_fields(vec![FieldProblem { field: field.into(), message: message.into() }])
    }

    /// Converts an error about one field into a 422.
    pub(crate) fn on<E: Display>(field: &'static str) -> impl FnOnce(E) -> Self {
        move |error| Self::invalid(field, error.to_string())
    }

    fn invalid_fields(errors: Vec<FieldProblem>) -> Self {
        let detail = "the request is not valid: see `errors` for each field";
        Self { errors, ..Self::new(Kind::Invalid, detail) }
    }

    pub(crate) fn no_caller() -> Self {
        Self::new(Kind::NoCaller, "this request needs a signed-in user")
    }

    pub(crate) fn invalid_token() -> Self {
        Self::new(Kind::InvalidToken, RejectionKind::InvalidToken.detail())
    }

    pub(crate) fn token_not_allowed() -> Self {
        let detail = "a token cannot manage tokens: it may only be used for `/current`";
        Self::new(Kind::TokenNotAllowed, detail)
    }

    /// Creates a 429: after wrong confirmations, the caller has to wait.
    pub(crate) fn too_many_attempts(wait: u32) -> Self {
        let detail = format!("too many wrong confirmations: try again in {wait} s");
        Self { retry_after: Some(wait), ..Self::new(Kind::TooManyAttempts, detail) }
    }

    pub(crate) fn unavailable() -> Self {
        Self::new(Kind::Unavailable, RejectionKind::Unavailable.detail())
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::Invalid(errors) => Self::invalid_fields(
                errors
                    .into_iter()
                    .map(|FieldError { field, message, .. }| FieldProblem {
                        field: field.into(),
                        message,
                    })
                    .collect(),
            ),
            Error::NotFound => Self::new(Kind::NotFound, "there is no such token"),
            Error::Stale { .. } => Self::new(Kind::Stale, detail),
            Error::Conflict => Self::new(Kind::Conflict, detail),
            Error::NotActive => Self::new(Kind::Ended, detail),
            Error::LimitReached { limit, in_use, .. } => {
                Self { limit: Some((limit, in_use)), ..Self::new(Kind::TokenLimit, detail) }
            }
            Error::Forbidden(why) => Self::new(
                match why {
                    PermissionError::Scopes(_) => Kind::ScopeNotGrantable,
                    PermissionError::OnlyItsOwner => Kind::OwnerOnly,
                    PermissionError::OwnerDisabled => Kind::OwnerDisabled,
                    // This also covers permissions that a later version adds.
                    _ => Kind::AdminOnly,
                },
                detail,
            ),
            Error::Store(error) if error.is_referenced() => {
                let cause = std::error::Error::source(&error);
                tracing::debug!(target: "hallpass", %error, cause, "a token cannot be deleted: 409");
                Self::new(
                    Kind::Referenced,
                    "other data of the application refers to the token, so the token cannot be \
                     deleted: remove that data first, or revoke the token",
                )
            }
            error if error.is_unavailable() => {
                static THROTTLE: Throttle = Throttle::new();
                if let Some(count) = THROTTLE.count(1) {
                    let cause = std::error::Error::source(&error);
                    tracing::warn!(target: "hallpass", %error, cause, count, "a call of the token API failed: 503");
                }
                match &error {
                    Error::Store(store) if store.is_outcome_unknown() => Self::new(
                        Kind::OutcomeUnknown,
                        "it is unknown whether the change was made: check before you try again",
                    ),
                    _ => Self::unavailable(),
                }
            }
            error => {
                tracing::error!(target: "hallpass", %error, "a call of the token API failed: 500");
                Self::new(
                    Kind::Internal,
                    "the request failed: see the service's log for the reason",
                )
            }
        }
    }
}

impl From<AuthError> for Problem {
    fn from(denied: AuthError) -> Self {
        match denied {
            AuthError::Rejected(_) => Self::invalid_token(),
            AuthError::Unavailable(error) => error.into(),
            // A kind that a later version adds does not mean that the token is invalid.
            _ => Self::unavailable(),
        }
    }
}

/// Returns only the status. [`Problem::render`] writes the response when the handle is known.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.kind.status();
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl Problem {
    /// Sets the owner whose request was rejected, for the event.
    pub(crate) fn by(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// Sets the token that was rejected, and its owner.
    pub(crate) fn with_principal(mut self, principal: &Principal) -> Self {
        self.token_id = principal.token_id();
        self.by(principal.owner().clone())
    }

    /// Reports a rejection that hallpass-core does not report itself.
    pub(crate) fn report(&self, hallpass: &Hallpass, origin: &Origin) {
        let reason = match self.kind {
            Kind::CrossSite => RejectReason::CrossSite,
            Kind::ConfirmationRequired | Kind::ConfirmationFailed | Kind::TooManyAttempts => {
                RejectReason::NotConfirmed
            }
            Kind::TokenNotAllowed => RejectReason::TokenNotAccepted,
            // The request has two credentials.
            Kind::InvalidRequest if self.token_id.is_some() => RejectReason::TokenNotAccepted,
            // Reports only rejections from this crate, which have an owner. hallpass-core has
            // reported its own, and its errors have no owner.
            Kind::AdminOnly if self.owner.is_some() => RejectReason::NotPermitted,
            _ => return,
        };
        hallpass.report_rejection(reason, self.owner.as_ref(), self.token_id, origin);
    }

    /// Renders the response with the settings of the handle, and keeps headers such as `Allow`.
    pub(crate) fn render(self, response: Response, settings: &RejectionSettings) -> Response {
        let status = self.kind.status();
        let view = ProblemView {
            r#type: format!("{}{}", settings.problem_type_prefix(), self.kind.slug()),
            title: self.kind.title(),
            status: status.as_u16(),
            detail: &self.detail,
            errors: &self.errors,
            limit: self.limit.map(|(limit, _)| limit),
            in_use: self.limit.map(|(_, in_use)| in_use),
        };
        // Serializing strings and numbers cannot fail.
        let body = Bytes::from(serde_json::to_vec(&view).unwrap_or_default());
        let rejection = Rejection::api(self.kind.slug(), status, self.detail.clone(), settings);
        let mut response = response.map(|_| body);
        let headers = response.headers_mut();
        headers.remove(CONTENT_LENGTH);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // RFC 9110 requires a challenge with a 401. There is none for people, because how they sign
        // in is up to the host.
        if let Some(challenge) = rejection.challenge() {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        let unavailable = (status == StatusCode::SERVICE_UNAVAILABLE).then(retry_after);
        if let Some(seconds) = self.retry_after.or(unavailable) {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        headers::finish(rejection.render(response).map(Body::from))
    }
}

/// Returns the problem for a method that the path does not have. axum adds `Allow`.
pub(crate) async fn no_such_method() -> Problem {
    Problem::new(
        Kind::MethodNotAllowed,
        "the path does not support this method: see the header `Allow`",
    )
}

#[cfg(test)]
mod tests {
    use hallpass_tower::PROBLEM_TYPE_PREFIX;

    use super::*;

    #[test]
    fn documentation_lists_every_kind() {
        let text = include_str!("docs/problems.md");
        let (of_api, of_layer) = text.split_once("The layer").expect("there are two tables");
        let check = |table: &str, name: &str, status: StatusCode| {
            let line = format!("| `{PROBLEM_TYPE_PREFIX}{name}` | {} |", status.as_u16());
            assert!(table.contains(&line), "docs/problems.md lacks {line}");
        };
        for kind in Kind::ALL {
            check(of_api, kind.slug(), kind.status());
        }
        assert_eq!(of_api.matches(PROBLEM_TYPE_PREFIX).count(), Kind::ALL.len());

        let hallpass = Hallpass::builder(hallpass_memory::MemoryStore::new()).build();
        let layer = hallpass_tower::TokenLayer::new(&hallpass);
        for kind in RejectionKind::ALL {
            check(of_layer, kind.problem_name(), layer.rejection(kind.clone()).status());
        }
        assert_eq!(of_layer.matches(PROBLEM_TYPE_PREFIX).count(), RejectionKind::ALL.len());
    }

    #[test]
    fn problem_of_the_api_has_the_title_of_the_layer() {
        for kind in RejectionKind::ALL {
            let Some(same) = Kind::ALL.iter().find(|own| own.slug() == kind.problem_name()) else {
                continue;
            };
            let hallpass = Hallpass::builder(hallpass_memory::MemoryStore::new()).build();
            let layer = hallpass_tower::TokenLayer::new(&hallpass);
            let body = layer.rejection(kind.clone()).into_response().into_body();
            let title = format!(r#""title":"{}""#, same.title());
            assert!(String::from_utf8_lossy(&body).contains(&title), "{title}");
        }
    }
}
