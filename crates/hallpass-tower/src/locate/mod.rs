//! Where in a request a credential is: the header, the query parameters that the layer names, or a
//! form's field.

mod form;
mod header;
mod query;

use http::Uri;

pub use self::form::FormCredential;
pub use self::header::Authorization;
pub(crate) use self::header::Taken;
pub(crate) use self::query::{Cut, any_value, cut};
use self::query::{Found, Value};

/// What a request carries.
#[derive(Debug)]
pub(crate) enum Located<'r> {
    /// No credential, or one of another scheme.
    Nothing,
    /// One, in the `Authorization` header.
    Header(&'r [u8]),
    /// One, in the query or a form.
    Parameter(Value),
    /// Something that is no credential, or more than one.
    Malformed,
}

impl Located<'_> {
    /// The token's text.
    pub(crate) fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Header(text) => Some(text),
            Self::Parameter(value) => Some(value.as_bytes()),
            Self::Nothing | Self::Malformed => None,
        }
    }
}

/// Looks at the header, at the parameters of these names, and at what a form brought. Two
/// credentials are one too many, whatever they say: none is ever preferred.
pub(crate) fn locate<'r>(
    header: Authorization<'r>,
    uri: &Uri,
    names: &[String],
    form: Option<FormCredential>,
) -> Located<'r> {
    let query = match uri.query() {
        Some(query) if !names.is_empty() => query::find(query.as_bytes(), names),
        _ => Found::Absent,
    };
    let parameter = match (query, form.map_or(Found::Absent, |form| form.0)) {
        (found, Found::Absent) | (Found::Absent, found) => found,
        _ => Found::Malformed,
    };
    match (header, parameter) {
        (Authorization::Malformed, _) | (_, Found::Malformed) => Located::Malformed,
        (Authorization::Bearer(text), Found::Absent) => Located::Header(text),
        (Authorization::Absent, Found::Value(value)) => Located::Parameter(value),
        (Authorization::Absent | Authorization::Foreign, Found::Absent) => Located::Nothing,
        (Authorization::Bearer(_) | Authorization::Foreign, Found::Value(_)) => Located::Malformed,
    }
}
