//! The words of refusals: each is always the same.

use bytes::Bytes;

use super::{PROBLEM_TYPE_PREFIX, RejectionKind};

/// What a refusal says.
pub(super) struct Problem {
    /// The sentence for people.
    pub(super) detail: &'static str,
    /// The whole body (RFC 9457), with the default prefix of the `type`.
    body: &'static str,
}

impl Problem {
    /// The whole body, with this prefix of the `type`.
    pub(super) fn body(&self, type_prefix: &str) -> Bytes {
        match self.body.split_once(PROBLEM_TYPE_PREFIX) {
            Some((start, end)) if type_prefix != PROBLEM_TYPE_PREFIX => {
                Bytes::from([start, type_prefix, end].concat())
            }
            _ => Bytes::from_static(self.body.as_bytes()),
        }
    }
}

/// A problem of constants, none with a character that JSON escapes.
macro_rules! problem {
    ($kind:literal, $title:literal, $status:literal, $detail:literal) => {
        Problem {
            detail: $detail,
            body: concat!(
                r#"{"type":"/problems/"#,
                $kind,
                r#"","title":""#,
                $title,
                r#"","status":"#,
                $status,
                r#","detail":""#,
                $detail,
                r#""}"#
            ),
        }
    };
}

pub(super) fn of(kind: &RejectionKind) -> Problem {
    match kind {
        RejectionKind::NoCredential => problem!(
            "no-credential",
            "No credential",
            401,
            "This needs a token: send it as `Authorization: Bearer`."
        ),
        RejectionKind::InvalidRequest => problem!(
            "invalid-request",
            "Invalid request",
            400,
            "Send one token, once, as `Authorization: Bearer` and a single space."
        ),
        RejectionKind::TooLarge => {
            problem!("too-large", "Too large", 413, "The form is larger than is read here.")
        }
        RejectionKind::InvalidToken => problem!(
            "invalid-token",
            "Invalid token",
            401,
            "The token is not valid: it may be mistyped, expired or revoked."
        ),
        RejectionKind::InsufficientScope { .. } => problem!(
            "insufficient-scope",
            "Insufficient scope",
            403,
            "The token does not hold the scope that this needs."
        ),
        RejectionKind::NotDeclared => {
            problem!("not-allowed", "Not allowed", 403, "No token is allowed to do this.")
        }
        RejectionKind::Unavailable => problem!(
            "unavailable",
            "Unavailable",
            503,
            "The token could not be checked just now: try again shortly."
        ),
        // The management API writes its own bodies.
        RejectionKind::Misconfigured | RejectionKind::Api { .. } => problem!(
            "misconfigured",
            "Misconfigured",
            500,
            "This service is not set up to check tokens here."
        ),
    }
}
