//! `WWW-Authenticate` (RFC 6750, section 3).

use std::sync::Arc;

use http::HeaderValue;

use super::RejectionKind;

/// A realm that is valid between quotes, together with the challenges that are the same for every
/// request.
#[derive(Clone, Debug)]
pub(crate) struct Realm(Arc<Challenges>);

#[derive(Debug)]
struct Challenges {
    realm: String,
    bare: HeaderValue,
    invalid_request: HeaderValue,
    invalid_token: HeaderValue,
    not_declared: HeaderValue,
}

impl Realm {
    /// Creates a realm from printable ASCII without quotes and backslashes, or returns a message
    /// that describes the mistake.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        if !text.is_empty()
            && text.bytes().all(|b| matches!(b, b' '..=b'~') && !matches!(b, b'"' | b'\\'))
        {
            Ok(Self::quoted(text))
        } else {
            Err(format!(
                "invalid realm {text:?}: use printable ASCII without quotes and backslashes"
            ))
        }
    }

    fn quoted(realm: &str) -> Self {
        let of = |error: &[(&str, &str)]| challenge(realm, error);
        Self(Arc::new(Challenges {
            realm: realm.to_owned(),
            bare: of(&[]),
            invalid_request: of(&[
                ("error", "invalid_request"),
                ("error_description", "send one token, once"),
            ]),
            invalid_token: of(&[
                ("error", "invalid_token"),
                ("error_description", "the token is not valid"),
            ]),
            not_declared: of(&INSUFFICIENT),
        }))
    }

    /// Returns the challenge of a rejection, or `None` for faults of the service and for outages.
    pub(super) fn challenge(&self, kind: &RejectionKind) -> Option<HeaderValue> {
        let Challenges { realm, bare, invalid_request, invalid_token, not_declared } = &*self.0;
        Some(match kind {
            RejectionKind::NoCredential | RejectionKind::CrossSite => bare.clone(),
            RejectionKind::InvalidRequest => invalid_request.clone(),
            RejectionKind::InvalidToken => invalid_token.clone(),
            RejectionKind::NotDeclared => not_declared.clone(),
            RejectionKind::InsufficientScope { scope } if scope.is_empty() => not_declared.clone(),
            RejectionKind::InsufficientScope { scope } => {
                let [error, description] = INSUFFICIENT;
                challenge(realm, &[error, description, ("scope", scope)])
            }
            RejectionKind::Api { name: "no-credential", .. } => bare.clone(),
            RejectionKind::Api { name: "invalid-token", .. } => invalid_token.clone(),
            RejectionKind::TooLarge
            | RejectionKind::Unavailable
            | RejectionKind::Misconfigured
            | RejectionKind::Api { .. } => return None,
        })
    }
}

const INSUFFICIENT: [(&str, &str); 2] =
    [("error", "insufficient_scope"), ("error_description", "the token does not allow this")];

impl Default for Realm {
    fn default() -> Self {
        Self::quoted("api")
    }
}

/// Returns the challenge. `scope` comes from a requirement, so it contains only scope characters
/// and spaces.
fn challenge(realm: &str, parameters: &[(&str, &str)]) -> HeaderValue {
    let mut parts = vec!["Bearer realm=\"", realm, "\""];
    for (name, value) in parameters {
        parts.extend([", ", name, "=\"", value, "\""]);
    }
    // Every part is printable ASCII. If it were not, a bare challenge would disclose the least.
    HeaderValue::try_from(parts.concat()).unwrap_or(HeaderValue::from_static("Bearer"))
}
