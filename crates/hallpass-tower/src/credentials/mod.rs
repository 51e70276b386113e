//! Finds the credential of a request: in a header, in a query parameter, or in a field of a form.
//!
//! No source takes precedence over another one. If a request has credentials in two sources, the
//! layer rejects it. Otherwise an attacker could add a second credential to the request of a user,
//! and the layer and a proxy could use different ones.
//!
//! The sources are searched only for this decision, and the token itself is parsed later. So a
//! malformed token also counts as a credential.

mod form;
mod header;
mod query;
mod source;
mod url_text;

use http::{HeaderMap, Uri};

pub use self::form::FormCredential;
pub use self::header::Authorization;
pub(crate) use self::header::{AuthorizationRead, TakenAuthorization, peek};
use self::header::{OwnHeader, own_header};
use self::query::{CredentialParameter, Value};
pub(crate) use self::query::{Cut, any_value, cut};
pub use self::source::CredentialSource;
pub(crate) use self::source::{SourceIndex, Sources};
pub(crate) use self::url_text::cut_text;

/// The credentials of a request.
#[derive(Debug)]
pub(crate) enum Located<'r> {
    /// The request has no credential, or one of another scheme.
    Nothing,
    /// The request has one credential.
    One(SourceIndex, Text<'r>),
    /// The request has a malformed credential, or more than one.
    Malformed(Fault),
}

/// The text of a credential.
#[derive(Debug)]
pub(crate) enum Text<'r> {
    /// The text as it is in a header.
    Raw(&'r [u8]),
    /// The decoded text from a query or a form.
    Decoded(Value),
}

impl Text<'_> {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Raw(text) => text,
            Self::Decoded(value) => value.as_bytes(),
        }
    }
}

/// The reason why the credentials of a request are invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `Authorization` is malformed, or there are several such headers.
    Authorization,
    /// This source has no value, or is repeated.
    Repeated(SourceIndex),
    /// Both sources have a credential.
    Two(SourceIndex, SourceIndex),
    /// `Authorization` has another scheme, and this source has a credential, too.
    BesideOtherScheme(SourceIndex),
}

impl Fault {
    /// Returns a sentence for people that describes the mistake.
    pub(crate) fn explain(self, sources: &Sources) -> String {
        match self {
            Self::Authorization => {
                "The `Authorization` header is malformed: send one scheme, a space and one token, once."
                    .to_owned()
            }
            Self::Repeated(source) => {
                let source = sources.get(source);
                format!("Send exactly one token in {source}: it is empty, or there are several.")
            }
            Self::Two(first, second) => format!(
                "There are two credentials, in {} and in {}: send only one of them.",
                sources.get(first),
                sources.get(second)
            ),
            Self::BesideOtherScheme(source) => format!(
                "There are two credentials, in `Authorization` with another scheme and in {}: send \
                 only one of them.",
                sources.get(source)
            ),
        }
    }
}

/// Reads every source of a layer. If two of them have a credential, returns a fault, whatever they
/// contain: no source takes precedence.
pub(crate) fn locate<'r>(
    authorization: AuthorizationRead<'r>,
    headers: &'r HeaderMap,
    uri: &Uri,
    sources: &Sources,
    form: Option<FormCredential>,
) -> Located<'r> {
    let other_scheme = authorization == AuthorizationRead::OtherScheme;
    let mut credential = match authorization {
        AuthorizationRead::Malformed => return Located::Malformed(Fault::Authorization),
        AuthorizationRead::Credential(source, text) => Some((source, Text::Raw(text))),
        AuthorizationRead::Absent | AuthorizationRead::OtherScheme => None,
    };
    let mut add = |source, text| match &credential {
        _ if other_scheme => Err(Fault::BesideOtherScheme(source)),
        Some((first, _)) => Err(Fault::Two(*first, source)),
        None => {
            credential = Some((source, text));
            Ok(())
        }
    };
    let query = match uri.query() {
        Some(query) if !sources.query_names().is_empty() => {
            query::find(query.as_bytes(), sources.query_names())
        }
        _ => CredentialParameter::Absent,
    };
    let mut add_all = || {
        match query {
            CredentialParameter::Absent => {}
            CredentialParameter::Value(value, name_index) => {
                add(sources.query(name_index), Text::Decoded(value))?;
            }
            CredentialParameter::Malformed(name_index) => {
                return Err(Fault::Repeated(sources.query(name_index)));
            }
        }
        for (source, name) in sources.headers() {
            match own_header(headers, name) {
                OwnHeader::Absent => {}
                OwnHeader::Value(text) => add(*source, Text::Raw(text))?,
                OwnHeader::Malformed => return Err(Fault::Repeated(*source)),
            }
        }
        if let (Some(source), Some(form)) = (sources.form(), form) {
            match form.0 {
                CredentialParameter::Absent => {}
                CredentialParameter::Value(value, _) => add(source, Text::Decoded(value))?,
                CredentialParameter::Malformed(_) => return Err(Fault::Repeated(source)),
            }
        }
        Ok(())
    };
    match (add_all(), credential) {
        (Err(fault), _) => Located::Malformed(fault),
        (Ok(()), Some((source, text))) => Located::One(source, text),
        (Ok(()), None) => Located::Nothing,
    }
}
