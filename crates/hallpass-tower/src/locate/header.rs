//! The `Authorization` header (RFC 6750, section 2.1; RFC 9110, section 11).

use std::fmt;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use memchr::memchr3;

/// What the `Authorization` lines of a request say.
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
    /// There is none.
    Absent,
    /// Another scheme than `Bearer`: not for us.
    Foreign,
    /// `Bearer` and its parameter, not looked at yet.
    Bearer(&'h [u8]),
    /// No `credentials` at all, or several.
    Malformed,
}

/// Past this no value is looked into: no token is nearly as long.
const LONG: usize = 1024;

impl<'h> Authorization<'h> {
    /// Reads the header.
    #[must_use]
    pub fn of(headers: &'h HeaderMap) -> Self {
        let mut lines = headers.get_all(AUTHORIZATION).iter();
        match (lines.next(), lines.next()) {
            (None, _) => Self::Absent,
            (Some(_), Some(_)) => Self::Malformed,
            (Some(value), None) => credentials(value.as_bytes()),
        }
    }
}

/// The `Authorization` of a request, taken out of it: where most requests go on, they go on
/// without.
pub(crate) struct Taken {
    value: Option<HeaderValue>,
    several: bool,
}

impl Taken {
    pub(crate) fn out_of(headers: &mut HeaderMap) -> Self {
        let lines = headers.len();
        let value = headers.remove(AUTHORIZATION);
        Self { several: lines - headers.len() > 1, value }
    }

    pub(crate) fn read(&self) -> Authorization<'_> {
        match &self.value {
            None => Authorization::Absent,
            Some(_) if self.several => Authorization::Malformed,
            Some(value) => credentials(value.as_bytes()),
        }
    }

    /// Puts back what the application may want, so that `Debug` shows none of it.
    pub(crate) fn put_back(self, headers: &mut HeaderMap) {
        if let Some(mut value) = self.value {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
    }
}

/// Shows which it is, never the parameter.
impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "Absent",
            Self::Foreign => "Foreign",
            Self::Bearer(_) => "Bearer(..)",
            Self::Malformed => "Malformed",
        })
    }
}

/// Reads `scheme` or `scheme 1*SP rest`.
fn credentials(value: &[u8]) -> Authorization<'_> {
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    // HTTP/1 parsers trim; an HTTP/2 value arrives as it was sent.
    if blank(value.first()) || blank(value.last()) {
        return Authorization::Malformed;
    }
    let end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (scheme, rest) = value.split_at(end);
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        let is_scheme = !scheme.is_empty() && scheme.iter().copied().all(is_tchar);
        return if is_scheme { Authorization::Foreign } else { Authorization::Malformed };
    }
    let start = rest.iter().position(|byte| *byte != b' ').unwrap_or(rest.len());
    let parameter = &rest[start..];
    if parameter.is_empty()
        || (parameter.len() <= LONG && memchr3(b' ', b'\t', b',', parameter).is_some())
    {
        return Authorization::Malformed;
    }
    Authorization::Bearer(parameter)
}

/// RFC 9110's `tchar`, what names of schemes are made of.
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

    fn read(value: &[u8]) -> Authorization<'_> {
        credentials(value)
    }

    #[test]
    fn one_scheme_one_parameter() {
        for good in
            ["Bearer T", "bearer T", "BEARER T", "bEaReR T", "Bearer  T", "Bearer                T"]
        {
            assert_eq!(read(good.as_bytes()), Authorization::Bearer(b"T"), "{good:?}");
        }
        for foreign in ["BearerT", "Basic dTpw", "Basic", "Digest a=b, c=d"] {
            assert_eq!(read(foreign.as_bytes()), Authorization::Foreign, "{foreign:?}");
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
    fn several_lines_are_malformed_whatever_they_say() {
        let mut headers = HeaderMap::new();
        assert_eq!(Authorization::of(&headers), Authorization::Absent);
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer T"));
        assert_eq!(Authorization::of(&headers), Authorization::Bearer(b"T"));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer T"));
        assert_eq!(Authorization::of(&headers), Authorization::Malformed);
        assert_eq!(Taken::out_of(&mut headers).read(), Authorization::Malformed);
        assert!(headers.is_empty(), "none of them is left");
    }

    #[test]
    fn what_is_put_back_is_as_it_was_and_prints_nothing() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic dTpw"));
        let taken = Taken::out_of(&mut headers);
        assert_eq!((taken.read(), headers.len()), (Authorization::Foreign, 0));
        taken.put_back(&mut headers);
        assert_eq!(headers[AUTHORIZATION], "Basic dTpw");
        assert_eq!(format!("{headers:?}"), r#"{"authorization": Sensitive}"#);
    }
}
