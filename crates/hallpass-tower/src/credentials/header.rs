//! The `Authorization` header (RFC 6750, section 2.1; RFC 9110, section 11), and other headers that
//! are a source of credentials.

use std::fmt;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use memchr::memchr3;

use super::source::{SourceIndex, Sources};

/// The `Authorization` header of a request, parsed for the scheme `Bearer` only.
///
/// ```
/// use hallpass_tower::Authorization;
/// use http::{HeaderMap, header::AUTHORIZATION};
///
/// let mut headers = HeaderMap::new();
/// headers.insert(AUTHORIZATION, "Bearer hp_abc".parse().unwrap());
/// assert_eq!(Authorization::of(&headers), Authorization::Bearer(b"hp_abc"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Authorization<'h> {
    /// The request has no such header.
    Absent,
    /// The header has another scheme than `Bearer`.
    OtherScheme,
    /// The scheme is `Bearer`, and this is its parameter, which has not been parsed yet.
    Bearer(&'h [u8]),
    /// The header is not one scheme with one parameter, or there are several such headers.
    Malformed,
}

/// The longest value that is searched for separators. No token is nearly as long.
const LONG: usize = 1024;

impl<'h> Authorization<'h> {
    /// Reads the header.
    #[must_use]
    pub fn of(headers: &'h HeaderMap) -> Self {
        let mut lines = headers.get_all(AUTHORIZATION).iter();
        let value = match (lines.next(), lines.next()) {
            (None, _) => return Self::Absent,
            (Some(_), Some(_)) => return Self::Malformed,
            (Some(value), None) => value.as_bytes(),
        };
        match split(value) {
            Some((scheme, text)) if scheme.eq_ignore_ascii_case(b"bearer") => {
                if is_one_word(text) {
                    Self::Bearer(text)
                } else {
                    Self::Malformed
                }
            }
            Some((scheme, _)) if is_scheme(scheme) => Self::OtherScheme,
            _ => Self::Malformed,
        }
    }
}

/// The `Authorization` header of a request, parsed for the sources of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthorizationRead<'h> {
    /// There is no such header, or the layer does not read it.
    Absent,
    /// Its scheme is not a source of the layer.
    OtherScheme,
    /// It holds this text.
    Credential(SourceIndex, &'h [u8]),
    /// It is not one scheme with one parameter, or there are several such headers.
    Malformed,
}

fn read<'h>(value: &'h [u8], sources: &Sources) -> AuthorizationRead<'h> {
    let Some((scheme, text)) = split(value) else { return AuthorizationRead::Malformed };
    match (sources.scheme(scheme), sources.bare()) {
        (Some(source), _) if is_one_word(text) => AuthorizationRead::Credential(source, text),
        (Some(_), _) => AuthorizationRead::Malformed,
        (None, _) if !is_scheme(scheme) => AuthorizationRead::Malformed,
        (None, Some(source)) if text.is_empty() => AuthorizationRead::Credential(source, scheme),
        (None, _) => AuthorizationRead::OtherScheme,
    }
}

/// The `Authorization` header after it was removed from a request. Most requests are passed on
/// without it.
pub(crate) struct TakenAuthorization {
    value: Option<HeaderValue>,
    several: bool,
}

impl TakenAuthorization {
    /// Removes the header if it may contain a credential from a source of the layer.
    pub(crate) fn out_of(headers: &mut HeaderMap, sources: &Sources) -> Self {
        if !sources.reads_authorization() {
            return Self { value: None, several: false };
        }
        let lines = headers.len();
        let value = headers.remove(AUTHORIZATION);
        Self { several: lines - headers.len() > 1, value }
    }

    pub(crate) fn read(&self, sources: &Sources) -> AuthorizationRead<'_> {
        match &self.value {
            None => AuthorizationRead::Absent,
            Some(_) if self.several => AuthorizationRead::Malformed,
            Some(value) => read(value.as_bytes(), sources),
        }
    }

    /// Restores the header if the application may need it, marked as sensitive so that `Debug` does
    /// not print it.
    pub(crate) fn put_back(self, headers: &mut HeaderMap) {
        if let Some(mut value) = self.value {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
    }
}

/// Reads the header without removing it.
pub(crate) fn peek<'h>(headers: &'h HeaderMap, sources: &Sources) -> AuthorizationRead<'h> {
    if !sources.reads_authorization() {
        return AuthorizationRead::Absent;
    }
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    match (lines.next(), lines.next()) {
        (None, _) => AuthorizationRead::Absent,
        (Some(_), Some(_)) => AuthorizationRead::Malformed,
        (Some(value), None) => read(value.as_bytes(), sources),
    }
}

/// The value of a header that is a source of tokens.
pub(super) enum OwnHeader<'h> {
    Absent,
    Value(&'h [u8]),
    /// The header is repeated, is empty, or has more than one word.
    Malformed,
}

pub(super) fn own_header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> OwnHeader<'h> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next()) {
        (None, _) => OwnHeader::Absent,
        (Some(value), None) if is_one_word(value.as_bytes()) => OwnHeader::Value(value.as_bytes()),
        _ => OwnHeader::Malformed,
    }
}

/// Prints the variant, but not the parameter.
impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "Absent",
            Self::OtherScheme => "OtherScheme",
            Self::Bearer(_) => "Bearer(..)",
            Self::Malformed => "Malformed",
        })
    }
}

/// Splits `scheme` or `scheme 1*SP rest`. Returns `None` if the value starts or ends with a blank.
/// The caller validates the scheme by comparing it with the sources of the layer.
fn split(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    // HTTP/1 parsers trim values, but an HTTP/2 value arrives as it was sent.
    if blank(value.first()) || blank(value.last()) {
        return None;
    }
    let end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (scheme, rest) = value.split_at(end);
    let start = rest.iter().position(|byte| *byte != b' ').unwrap_or(rest.len());
    Some((scheme, &rest[start..]))
}

/// Returns whether a value is a single credential: not empty, and without separators.
fn is_one_word(text: &[u8]) -> bool {
    !text.is_empty() && (text.len() > LONG || memchr3(b' ', b'\t', b',', text).is_none())
}

/// Returns whether a text can be the name of a scheme.
pub(super) fn is_scheme(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().copied().all(is_tchar)
}

/// Returns whether a byte is a `tchar` of RFC 9110. Names of schemes consist of these.
fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::credentials::CredentialSource;

    fn read(value: &[u8]) -> Authorization<'static> {
        let mut headers = HeaderMap::new();
        let Ok(value) = HeaderValue::from_bytes(value) else { return Authorization::Malformed };
        headers.insert(AUTHORIZATION, value);
        match Authorization::of(&headers) {
            Authorization::Bearer(b"T") => Authorization::Bearer(b"T"),
            Authorization::Bearer(other) => panic!("read {other:?}"),
            Authorization::Absent => Authorization::Absent,
            Authorization::OtherScheme => Authorization::OtherScheme,
            Authorization::Malformed => Authorization::Malformed,
        }
    }

    #[test]
    fn header_has_one_scheme_and_one_parameter() {
        for good in
            ["Bearer T", "bearer T", "BEARER T", "bEaReR T", "Bearer  T", "Bearer                T"]
        {
            assert_eq!(read(good.as_bytes()), Authorization::Bearer(b"T"), "{good:?}");
        }
        for foreign in ["BearerT", "Basic dTpw", "Basic", "Digest a=b, c=d"] {
            assert_eq!(read(foreign.as_bytes()), Authorization::OtherScheme, "{foreign:?}");
        }
        for bad in [
            "",
            " ",
            "Bearer",
            "Bearer ",
            "Bearer\tT",
            " Bearer T",
            "Bearer T ",
            "Bearer T junk",
            "Bearer T, Bearer U",
            "Bearer T,",
            "Bearer ,T",
            "Bearer T\tU",
            "Bea(rer T",
            "\u{e9} T",
        ] {
            assert_eq!(read(bad.as_bytes()), Authorization::Malformed, "{bad:?}");
        }
    }

    #[test]
    fn several_authorization_headers_are_malformed() {
        let mut headers = HeaderMap::new();
        assert_eq!(Authorization::of(&headers), Authorization::Absent);
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer T"));
        assert_eq!(Authorization::of(&headers), Authorization::Bearer(b"T"));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer T"));
        assert_eq!(Authorization::of(&headers), Authorization::Malformed);
        let sources = Sources::new([CredentialSource::bearer()]);
        let authorization = TakenAuthorization::out_of(&mut headers, &sources);
        assert_eq!(authorization.read(&sources), AuthorizationRead::Malformed);
        assert!(headers.is_empty(), "no header must be left");
    }

    #[test]
    fn other_schemes_and_bare_tokens_are_read_if_listed() {
        let sources = Sources::new([CredentialSource::scheme("Token"), CredentialSource::bare()]);
        let [token, bare] = [CredentialSource::scheme("tOKEN"), CredentialSource::bare()]
            .map(|source| sources.position(&source).unwrap());
        for (value, says) in [
            ("Token T", AuthorizationRead::Credential(token, b"T")),
            ("token  T", AuthorizationRead::Credential(token, b"T")),
            ("T", AuthorizationRead::Credential(bare, b"T")),
            ("Bearer T", AuthorizationRead::OtherScheme),
            ("Token", AuthorizationRead::Malformed),
            ("Token T U", AuthorizationRead::Malformed),
            ("T,U", AuthorizationRead::Malformed),
        ] {
            assert_eq!(super::read(value.as_bytes(), &sources), says, "{value}");
        }
    }

    #[test]
    fn header_is_put_back_unchanged_and_debug_hides_it() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic dTpw"));
        let sources = Sources::new([CredentialSource::bearer()]);
        let authorization = TakenAuthorization::out_of(&mut headers, &sources);
        assert_eq!(
            (authorization.read(&sources), headers.len()),
            (AuthorizationRead::OtherScheme, 0)
        );
        authorization.put_back(&mut headers);
        assert_eq!(headers[AUTHORIZATION], "Basic dTpw");
        assert_eq!(format!("{headers:?}"), r#"{"authorization": Sensitive}"#);
    }
}
