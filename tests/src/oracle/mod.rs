//! What a request's credential is, read the plainest way there is: by the grammars of the RFCs, a
//! rule at a time, into vectors, and none of it shared with what it judges. Only the standard
//! library is used here: the fuzz targets take these files in as they are.
//!
//! The rules, by the numbers in the comments:
//!
//! 1. sources are the header, and the query parameters that the layer names; the body never;
//! 2. more than one `Authorization` line is malformed;
//! 3. so is white space around the value;
//! 4. the value is `scheme` or `scheme 1*SP rest`, and `scheme` is `1*tchar`; another scheme than
//!    `bearer`, in any case, is not for us;
//! 5. `Bearer` with nothing behind it is malformed;
//! 6. so is a `rest` with SP, HTAB or a comma;
//! 7. a token is a `b64token`,
//! 8. of our prefix, exact length, base62, with its checksum;
//! 9. the query is split at `&` alone, keys and values are percent- and plus-decoded as bytes, keys
//!    are compared byte for byte; several matches are malformed, and so is one without a value;
//! 10. a credential in the header, whatever its scheme, and one in the query are one too many.

mod header;
mod query;
mod token;

pub use self::{
    header::{Header, LOOKED_INTO, authorization},
    query::{Parameter, decode, pairs, parameter, without},
    token::{BODY_LEN, assemble, base62, checksum, is_b64token, is_token},
};

/// The credential of a request, before it is asked what it is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// None, or one of another scheme: 401 without an error.
    Nothing,
    /// Something that is none, or more than one: 400 `invalid_request`.
    Malformed,
    /// One, and this is its text: 401 `invalid_token` unless it is a live token's.
    One(Vec<u8>),
}

/// The credential in these `Authorization` lines and this query, whose parameters of these names
/// may carry one.
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
