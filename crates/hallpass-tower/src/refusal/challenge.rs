//! `WWW-Authenticate` (RFC 6750, section 3).

use http::HeaderValue;

/// A realm that fits between quotes.
#[derive(Clone, Debug)]
pub(crate) struct Realm(String);

impl Realm {
    /// Takes printable ASCII without quotes and backslashes, or says what is wrong.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        if !text.is_empty()
            && text.bytes().all(|b| matches!(b, b' '..=b'~') && !matches!(b, b'"' | b'\\'))
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "a realm is printable ASCII without quotes or backslashes; {text:?} is not"
            ))
        }
    }
}

impl Default for Realm {
    fn default() -> Self {
        Self("api".to_owned())
    }
}

/// The challenge. `scope` is a requirement's, so it holds scope characters and spaces only.
pub(crate) fn challenge(
    realm: &Realm,
    error: Option<&str>,
    description: Option<&str>,
    scope: Option<&str>,
) -> HeaderValue {
    let mut text = format!("Bearer realm=\"{}\"", realm.0);
    for (name, value) in [("error", error), ("error_description", description), ("scope", scope)] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            text.push_str(", ");
            text.push_str(name);
            text.push_str("=\"");
            text.push_str(value);
            text.push('"');
        }
    }
    // Every part is printable ASCII; were it not, a bare challenge says the least.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("Bearer"))
}
