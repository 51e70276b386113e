//! The query: rule 9, and what of a URI goes on once the credential is out.

/// What the query says of the parameters that may carry a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// None of them is there.
    Absent,
    /// One is, once, with this value.
    Value(Vec<u8>),
    /// One is without a value, or there are several.
    Malformed,
}

/// Rule 9.
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

/// The pairs of a query, decoded. Behind a key without `=` there is no value.
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

/// Percent- and plus-decodes; a `%` without two hexadecimal digits stays.
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

/// The URI without the pairs whose decoded key and value are to be cut; every other byte stays.
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
