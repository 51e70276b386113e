//! Parses the query (rule 9) and removes credentials from a URI.

/// The result of a search for the query parameters that may carry a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// The query has none of the parameters.
    Absent,
    /// The query has exactly one of the parameters, once, with this value.
    Value(Vec<u8>),
    /// The query has several of the parameters, or one without a value.
    Malformed,
}

/// Applies rule 9 to a query.
#[must_use]
pub fn parameter(query: &str, names: &[&str]) -> Parameter {
    let mut found: Vec<_> = pairs(query)
        .into_iter()
        .filter(|(key, _)| names.iter().any(|name| name.as_bytes() == key))
        .collect();
    match (found.len(), found.pop()) {
        (0, _) => Parameter::Absent,
        (1, Some((_, Some(value)))) if !value.is_empty() => Parameter::Value(value),
        _ => Parameter::Malformed,
    }
}

/// Returns the decoded pairs of a query. The value of a key without `=` is `None`.
#[must_use]
pub fn pairs(query: &str) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    query.split('&').map(pair).collect()
}

fn pair(pair: &str) -> (Vec<u8>, Option<Vec<u8>>) {
    match pair.split_once('=') {
        Some((key, value)) => (decode(key), Some(decode(value))),
        None => (decode(pair), None),
    }
}

/// Percent-decodes and plus-decodes a text. A `%` without two hexadecimal digits is kept.
#[must_use]
pub fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let digits =
            text.get(at + 1..at + 3).filter(|two| two.bytes().all(|d| d.is_ascii_hexdigit()));
        let escaped = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        match (text.as_bytes()[at], escaped) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                at += 3;
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(byte),
        }
        at += 1;
    }
    bytes
}

/// Returns the URI without the pairs for whose decoded key and value `cut` returns `true`. All
/// other bytes are kept.
#[must_use]
pub fn without(uri: &str, cut: impl Fn(&[u8], Option<&[u8]>) -> bool) -> String {
    let Some((before, query)) = uri.split_once('?') else { return uri.to_owned() };
    let stays = |raw: &&str| {
        let (key, value) = pair(raw);
        !cut(&key, value.as_deref())
    };
    let rest: Vec<&str> = query.split('&').filter(stays).collect();
    if rest.is_empty() { before.to_owned() } else { format!("{before}?{}", rest.join("&")) }
}
