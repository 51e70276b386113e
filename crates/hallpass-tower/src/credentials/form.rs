//! A credential in the body of a form (RFC 6750, section 2.2), for middleware that reads bodies.

use std::fmt;

use super::query::{CredentialParameter, find};

/// The credential field of an urlencoded form.
///
/// The layer itself reads no body. An outer middleware that reads forms inserts this into the
/// request's extensions. A layer with the source
/// [`CredentialSource::form`](super::CredentialSource) treats it as a source in addition to the
/// header and the query, and rejects requests with credentials in two of them.
///
/// ```
/// use hallpass_tower::FormCredential;
///
/// // A middleware that has read the body of a form:
/// fn with_credential<B>(mut request: http::Request<B>, form: &[u8]) -> http::Request<B> {
///     request.extensions_mut().insert(FormCredential::find(form, "session"));
///     request
/// }
/// # let request = with_credential(http::Request::new(()), b"name=ci&session=hp_abc");
/// # assert!(request.extensions().get::<FormCredential>().is_some());
/// ```
#[derive(Clone, Copy)]
pub struct FormCredential(pub(super) CredentialParameter);

impl FormCredential {
    /// Looks for a field of this name in the body of a form. Names and values are decoded as in a
    /// query.
    ///
    /// The layer rejects the request with 400 if the field has no value or is repeated, or if the
    /// body has the field and is not all ASCII.
    #[must_use]
    pub fn find(form: &[u8], field: &str) -> Self {
        Self(match find(form, &[field]) {
            CredentialParameter::Value(_, name_index) if !form.is_ascii() => {
                CredentialParameter::Malformed(name_index)
            }
            found => found,
        })
    }
}

/// Prints the variant, but not the value.
impl fmt::Debug for FormCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            CredentialParameter::Absent => "Absent",
            CredentialParameter::Value(..) => "Value(..)",
            CredentialParameter::Malformed(_) => "Malformed",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_credential_is_classified_and_debug_hides_it() {
        for (form, shown) in [
            (&b"a=1&session=hp_secret&b"[..], "Value(..)"),
            (b"sess%69on=hp_secret", "Value(..)"),
            (b"", "Absent"),
            (b"Session=hp_secret", "Absent"),
            (b"x=\xFF", "Absent"),
            (b"session=", "Malformed"),
            (b"session", "Malformed"),
            (b"session=hp_secret&session=hp_secret", "Malformed"),
            (b"session=hp_secret&x=\xFF", "Malformed"),
        ] {
            assert_eq!(format!("{:?}", FormCredential::find(form, "session")), shown);
        }
    }
}
