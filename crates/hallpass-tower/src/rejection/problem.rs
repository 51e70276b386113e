//! The fixed texts of rejections.
//!
//! The bodies are constants, so that a rejection does not serialize anything. A JSON library is a
//! dependency only with the feature `openapi`.

use bytes::Bytes;

use super::{PROBLEM_TYPE_PREFIX, RejectionKind};

/// The problem document of a rejection.
pub(super) struct Problem {
    /// The end of the `type`.
    pub(super) kind: &'static str,
    /// The sentence for people.
    pub(super) detail: &'static str,
    /// The whole body (RFC 9457), with the default prefix of the `type`.
    body: &'static str,
}

impl Problem {
    /// Returns the whole body with this prefix of the `type`, and with `detail` as the sentence for
    /// people if there is one.
    pub(super) fn body(&self, type_prefix: &str, detail: Option<&str>) -> Bytes {
        if type_prefix == PROBLEM_TYPE_PREFIX && detail.is_none() {
            return Bytes::from_static(self.body.as_bytes());
        }
        let body = self.body.replacen(PROBLEM_TYPE_PREFIX, type_prefix, 1);
        match (detail, body.split_once(r#""detail":""#)) {
            (Some(detail), Some((start, _))) => {
                Bytes::from(format!(r#"{start}"detail":"{}"}}"#, escape(detail)))
            }
            _ => Bytes::from(body),
        }
    }
}

/// Escapes a text for JSON.
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, c| {
        match c {
            '"' | '\\' => escaped.extend(['\\', c]),
            c if c < ' ' => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => escaped.push(c),
        }
        escaped
    })
}

/// Creates a problem from constants. None of them may contain a character that JSON escapes.
macro_rules! problem {
    ($kind:literal, $title:literal, $status:literal, $detail:literal) => {
        Problem {
            kind: $kind,
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
            "This request needs a token: send it as `Authorization: Bearer`."
        ),
        RejectionKind::InvalidRequest => problem!(
            "invalid-request",
            "Invalid request",
            400,
            "Send one token, once, as `Authorization: Bearer` and a single space."
        ),
        RejectionKind::TooLarge => {
            problem!("too-large", "Too large", 413, "The form is too large.")
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
            "The caller does not hold the scope that this request needs."
        ),
        RejectionKind::NotDeclared => {
            problem!("not-allowed", "Not allowed", 403, "No token may make this request.")
        }
        RejectionKind::CrossSite => problem!(
            "cross-site",
            "Cross-site request",
            403,
            "The request came from a page of another site: with a session, only pages of this site \
             may make it."
        ),
        RejectionKind::Unavailable => problem!(
            "unavailable",
            "Unavailable",
            503,
            "The service is temporarily unavailable: try again shortly."
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
