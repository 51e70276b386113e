//! A naive reference implementation that finds the credential of a request. It follows the grammars
//! of the RFCs one rule at a time and shares no code with the implementation that it tests. It uses
//! only the standard library, because the fuzz targets include these files.
//!
//! The comments refer to these rules by number:
//!
//! 1. A credential comes from the header or from the query parameters that the layer names, never
//!    from the body.
//! 2. More than one `Authorization` line is malformed.
//! 3. White space around the value is malformed.
//! 4. The value is `scheme` or `scheme 1*SP rest`, and `scheme` is `1*tchar`. A scheme other than
//!    `bearer`, in upper or lower case, is ignored.
//! 5. `Bearer` without a `rest` is malformed.
//! 6. A `rest` that contains SP, HTAB or a comma is malformed.
//! 7. A token is a `b64token`.
//! 8. A token has our prefix, the exact length, base62 characters and a correct checksum.
//! 9. The query is split only at `&`. Keys and values are percent-decoded and plus-decoded to
//!    bytes, and keys are compared byte by byte. Several matches are malformed, and so is a match
//!    without a value.
//! 10. A credential in the header, of any scheme, together with one in the query is malformed.

mod header;
mod query;
mod token;

pub use self::{
    header::{Header, LOOKED_INTO, authorization},
    query::{Parameter, decode, pairs, parameter, without},
    token::{BODY_LEN, assemble, base62, checksum, is_b64token, is_token},
};

/// The credential of a request. It is not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// No credential, or one of another scheme. The response is 401 without an error code.
    Nothing,
    /// A malformed credential, or several. The response is 400 `invalid_request`.
    Malformed,
    /// The text of the only credential. Unless it is a valid token, the response is 401
    /// `invalid_token`.
    One(Vec<u8>),
}

/// Returns the credential in the `Authorization` lines and the query of a request. `names` are the
/// query parameters that may carry a credential.
#[must_use]
pub fn credential(lines: &[&[u8]], query: Option<&str>, names: &[&str]) -> Credential {
    // Rule 1.
    let parameter = query.map_or(Parameter::Absent, |query| parameter(query, names));
    match (authorization(lines), parameter) {
        (Header::Malformed, _) | (_, Parameter::Malformed) => Credential::Malformed,
        (Header::Bearer(text), Parameter::Absent) => Credential::One(text),
        (Header::Absent, Parameter::Value(text)) => Credential::One(text),
        (Header::Absent | Header::Foreign, Parameter::Absent) => Credential::Nothing,
        // Rule 10.
        (Header::Bearer(_) | Header::Foreign, Parameter::Value(_)) => Credential::Malformed,
    }
}
