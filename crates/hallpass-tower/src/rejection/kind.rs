//! The reasons why a request is rejected.

use http::StatusCode;

use super::problem;

/// The reason why a request is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RejectionKind {
    /// The request has no credential: 401 and a bare challenge.
    NoCredential,
    /// The credential is malformed, or there are several: 400 `invalid_request`.
    InvalidRequest,
    /// The form that may contain a credential is too large to be read: 413, no challenge. This
    /// happens only if forms are a source of credentials.
    TooLarge,
    /// The token is malformed, unknown, wrong, expired or revoked, or its owner is disabled: 401
    /// `invalid_token`. The response does not disclose which.
    InvalidToken,
    /// The token is valid but does not have the scope that the route needs: 403
    /// `insufficient_scope`.
    InsufficientScope {
        /// The scope that the route needs.
        scope: String,
    },
    /// The host's own sign-in authenticated the caller, but a page of another site may have sent
    /// the request: 403.
    CrossSite,
    /// The policy table has no rule for the route, so every request is rejected: 403.
    NotDeclared,
    /// The token could not be checked: 503 with `Retry-After`, no challenge.
    Unavailable,
    /// The program is set up wrongly: 500. The log describes the mistake and how to correct it.
    Misconfigured,
    /// A problem of hallpass-axum's management API, named by the end of its `type`.
    Api {
        /// The end of the `type`, such as `token-limit`.
        name: &'static str,
        /// The status of the response.
        status: StatusCode,
    },
}

impl RejectionKind {
    /// One value of each kind, except for [`Api`](Self::Api).
    #[doc(hidden)]
    pub const ALL: &[Self] = &[
        Self::NoCredential,
        Self::InvalidRequest,
        Self::TooLarge,
        Self::InvalidToken,
        Self::InsufficientScope { scope: String::new() },
        Self::CrossSite,
        Self::NotDeclared,
        Self::Unavailable,
        Self::Misconfigured,
    ];

    /// Returns the end of the problem's `type`, such as `insufficient-scope`.
    #[doc(hidden)]
    #[must_use]
    pub fn problem_name(&self) -> &'static str {
        match self {
            Self::Api { name, .. } => name,
            kind => problem::of(kind).kind,
        }
    }

    /// Returns the sentence for people that a rejection has unless it has a more specific one.
    #[doc(hidden)]
    #[must_use]
    pub fn detail(&self) -> &'static str {
        problem::of(self).detail
    }

    /// Returns the name used in logs and metrics: `no_credential`, `insufficient_scope`, ...
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NoCredential => "no_credential",
            Self::InvalidRequest => "invalid_request",
            Self::TooLarge => "too_large",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope { .. } => "insufficient_scope",
            Self::NotDeclared => "not_declared",
            Self::CrossSite => "cross_site",
            Self::Unavailable => "unavailable",
            Self::Misconfigured => "misconfigured",
            Self::Api { name, .. } => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails to compile if there is a new kind, which must be added to the list.
    #[test]
    fn list_of_kinds_is_complete() {
        let number = |kind: &RejectionKind| match kind {
            RejectionKind::NoCredential => 0,
            RejectionKind::InvalidRequest => 1,
            RejectionKind::TooLarge => 2,
            RejectionKind::InvalidToken => 3,
            RejectionKind::InsufficientScope { .. } => 4,
            RejectionKind::CrossSite => 5,
            RejectionKind::NotDeclared => 6,
            RejectionKind::Unavailable => 7,
            RejectionKind::Misconfigured => 8,
            RejectionKind::Api { .. } => 9,
        };
        assert!(RejectionKind::ALL.iter().map(number).eq(0..9));
    }
}
