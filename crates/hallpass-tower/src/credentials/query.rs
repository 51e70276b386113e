//! Finds a credential among the query parameters of a URI, and removes it.
//!
//! The raw query is split at `&` only. Keys and values are percent- and plus-decoded as bytes.
//! Sequences that cannot be decoded stay as they are.

use bytes::Bytes;
use hallpass_core::__private::MAX_TOKEN_LEN;
use http::Uri;
use http::uri::PathAndQuery;
use percent_encoding::percent_decode;

/// A decoded value of at most the length of the longest token. A longer value is not a token, so
/// only the fact that it is too long is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value {
    bytes: [u8; Self::MAX],
    len: usize,
}

impl Value {
    const MAX: usize = MAX_TOKEN_LEN;

    fn decode(raw: &[u8]) -> Self {
        let mut value = Self { bytes: [0; Self::MAX], len: 0 };
        // A token needs no encoding, so its text is usually copied as it is.
        if raw.len() <= Self::MAX && memchr::memchr2(b'%', b'+', raw).is_none() {
            value.bytes[..raw.len()].copy_from_slice(raw);
            value.len = raw.len();
            return value;
        }
        for byte in decoded(raw) {
            if value.len == Self::MAX {
                // No token contains a NUL, so this value is rejected as malformed.
                return Self { bytes: [0; Self::MAX], len: Self::MAX };
            }
            value.bytes[value.len] = byte;
            value.len += 1;
        }
        value
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The query parameters of a request that may carry a credential.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CredentialParameter {
    /// None of the parameters is in the query.
    Absent,
    /// One of the parameters is in the query, once, with a value. Its name has this index.
    Value(Value, usize),
    /// A parameter has no value, or there are several. The name of the last one has this index.
    Malformed(usize),
}

pub(crate) fn find(query: &[u8], names: &[impl AsRef<str>]) -> CredentialParameter {
    let mut parameter = CredentialParameter::Absent;
    for (key, value) in pairs(query) {
        let Some(name_index) = names.iter().position(|name| is_name(key, name.as_ref())) else {
            continue;
        };
        match (&parameter, value) {
            (CredentialParameter::Absent, Some(value)) if !value.is_empty() => {
                parameter = CredentialParameter::Value(Value::decode(value), name_index);
            }
            _ => return CredentialParameter::Malformed(name_index),
        }
    }
    parameter
}

/// Returns whether one of these parameters contains a token, according to `is_token`. This is for
/// layers that do not read the query.
pub(crate) fn any_value(query: &str, names: &[String], is_token: impl Fn(&[u8]) -> bool) -> bool {
    pairs(query.as_bytes())
        .filter(|(key, _)| names.iter().any(|name| is_name(key, name)))
        .any(|(_, value)| value.is_some_and(|value| is_token(Value::decode(value).as_bytes())))
}

/// The parts that are removed from a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The parameters with these names, whatever they contain.
    Parameters,
    /// Only those parameters with these names that contain a token.
    Tokens,
}

/// Returns the URI without the credential's parameter and otherwise unchanged, or `None` if there
/// is nothing to remove. A parameter whose name differs only in case is removed, too, if it
/// contains a token: it is a typing mistake, and the token would end up in a log.
pub(crate) fn cut(
    uri: &Uri,
    names: &[String],
    what: Cut,
    is_token: impl Fn(&[u8]) -> bool,
) -> Option<Uri> {
    let path_and_query = uri.path_and_query()?;
    let query = path_and_query.query()?;
    let secret = |pair: &str| {
        let (key, value) = split(pair.as_bytes());
        (what == Cut::Parameters && names.iter().any(|name| is_name(key, name)))
            || (names.iter().any(|name| is_name_in_any_case(key, name))
                && value.is_some_and(|value| is_token(Value::decode(value).as_bytes())))
    };
    if !query.split('&').any(secret) {
        return None;
    }
    let mut rest = String::with_capacity(path_and_query.as_str().len());
    rest.push_str(path_and_query.path());
    for (index, pair) in query.split('&').filter(|pair| !secret(pair)).enumerate() {
        rest.push(if index == 0 { '?' } else { '&' });
        rest.push_str(pair);
    }
    let mut parts = uri.clone().into_parts();
    // A part of a valid path and query is valid. If it were not, dropping the whole query would be
    // safe.
    parts.path_and_query = PathAndQuery::from_maybe_shared(Bytes::from(rest))
        .ok()
        .or_else(|| path_and_query.path().parse().ok());
    Uri::from_parts(parts).ok().or_else(|| Some(Uri::from_static("/")))
}

fn pairs(query: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    query.split(|byte| *byte == b'&').map(split)
}

pub(super) fn split(pair: &[u8]) -> (&[u8], Option<&[u8]>) {
    match pair.iter().position(|byte| *byte == b'=') {
        Some(equals_sign) => (&pair[..equals_sign], Some(&pair[equals_sign + 1..])),
        None => (pair, None),
    }
}

fn is_name(raw: &[u8], name: &str) -> bool {
    // A decoded byte is encoded in one to three bytes, so the length alone rules out most keys.
    if !(name.len()..=3 * name.len()).contains(&raw.len()) {
        return false;
    }
    // A name usually needs no encoding.
    match memchr::memchr2(b'%', b'+', raw) {
        None => raw == name.as_bytes(),
        Some(_) => decoded(raw).eq(name.bytes()),
    }
}

pub(super) fn is_name_in_any_case(raw: &[u8], name: &str) -> bool {
    (name.len()..=3 * name.len()).contains(&raw.len())
        && decoded(raw)
            .map(|byte| byte.to_ascii_lowercase())
            .eq(name.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// Percent- and plus-decodes bytes. A `%` without two hexadecimal digits stays as it is.
pub(super) fn decoded(raw: &[u8]) -> impl Iterator<Item = u8> {
    raw.split(|byte| *byte == b'+').enumerate().flat_map(|(index, part)| {
        let space = (index > 0).then_some(b' ');
        space.into_iter().chain(percent_decode(part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names() -> Vec<String> {
        vec!["session".to_owned()]
    }

    fn value(query: &str) -> Option<Vec<u8>> {
        match find(query.as_bytes(), &names()) {
            CredentialParameter::Value(value, 0) => Some(value.as_bytes().to_vec()),
            _ => None,
        }
    }

    #[test]
    fn parameter_name_is_decoded_and_case_sensitive() {
        for query in [
            "session=T",
            "a=1&session=T",
            "%73ession=T",
            "sess%69on=T",
            "&&session=T&&",
            "session=%54",
        ] {
            assert_eq!(value(query).as_deref(), Some(&b"T"[..]), "{query}");
        }
        for query in [
            "",
            "Session=T",
            "SESSION=T",
            "x=1;session=T",
            "x=1%26session=T",
            "?session=T",
            "sessions=T",
            "session%00=T",
        ] {
            assert!(
                matches!(find(query.as_bytes(), &names()), CredentialParameter::Absent),
                "{query}"
            );
        }
        for query in
            ["session", "session=", "session=T&session=T", "session=T&session", "session&session=T"]
        {
            assert!(
                matches!(find(query.as_bytes(), &names()), CredentialParameter::Malformed(0)),
                "{query}"
            );
        }
    }

    #[test]
    fn parameter_values_are_decoded_to_bytes() {
        assert_eq!(value("session=a+b").unwrap(), b"a b");
        assert_eq!(value("session=%ff%fe").unwrap(), [0xFF, 0xFE]);
        assert_eq!(value("session=%zz%2").unwrap(), b"%zz%2");
        assert_eq!(value("session=a=b").unwrap(), b"a=b");
        let long = format!("session={}", "a".repeat(89));
        assert!(value(&long).unwrap().contains(&0), "a text that is too long must not be a token");
    }

    #[test]
    fn rest_of_the_uri_is_unchanged() {
        for (uri, rest) in [
            ("/a?session=T", "/a"),
            ("/a?x=%41&session=T&y=+%20", "/a?x=%41&y=+%20"),
            ("/a?session=T&x", "/a?x"),
            ("/a?&&session=T&&", "/a?&&&"),
            ("http://u:p@host:1/a?sess%69on=T&b", "http://u:p@host:1/a?b"),
            ("/a?Session=T&b", "/a?b"),
        ] {
            let cut = cut(&uri.parse().unwrap(), &names(), Cut::Parameters, |value| value == b"T")
                .unwrap();
            assert_eq!(cut.to_string(), rest, "{uri}");
        }
        for uri in ["/a", "/a?b=T", "/a?Session=mine", "*"] {
            let cut = cut(&uri.parse().unwrap(), &names(), Cut::Parameters, |value| value == b"T");
            assert!(cut.is_none(), "{uri}");
        }
    }

    #[test]
    fn unread_parameters_lose_only_tokens() {
        for (uri, rest) in [
            ("/a?session=T&b", Some("/a?b")),
            ("/a?session=mine&Session=T&session", Some("/a?session=mine&session")),
            ("/a?session=mine", None),
            ("/a?session", None),
        ] {
            let cut = cut(&uri.parse().unwrap(), &names(), Cut::Tokens, |value| value == b"T");
            assert_eq!(cut.map(|uri| uri.to_string()).as_deref(), rest, "{uri}");
        }
    }

    proptest! {
        #[test]
        fn search_agrees_with_a_plain_parser(query in "([a-z%+;=&?]|session|%73|=T){0,12}") {
            // The reference implementation splits the query, decodes into vectors, and compares.
            let plain: Vec<_> = query
                .split('&')
                .map(|pair| pair.split_once('=').map_or((pair, None), |(key, value)| (key, Some(value))))
                .filter(|(key, _)| decoded(key.as_bytes()).collect::<Vec<_>>() == b"session")
                .collect();
            let expected = match plain[..] {
                [(_, Some(value))] if !value.is_empty() => Some(decoded(value.as_bytes()).collect::<Vec<_>>()),
                _ => None,
            };
            prop_assert_eq!(value(&query), expected);
        }

        #[test]
        fn no_token_is_left_in_the_uri(
            pairs in proptest::collection::vec("(session=T|sess%69on=T|a=b||SESSION=T|x)", 0..9),
        ) {
            let uri: Uri = format!("/p?{}", pairs.join("&")).parse().unwrap();
            let left: Vec<_> = pairs.iter().filter(|pair| !pair.ends_with('T')).cloned().collect();
            match cut(&uri, &names(), Cut::Parameters, |value| value == b"T") {
                Some(cut) => prop_assert_eq!(cut.query().unwrap_or_default(), left.join("&")),
                None => prop_assert_eq!(left, pairs),
            }
        }
    }
}
