//! The `Authorization` header: RFC 6750, section 2.1, and RFC 9110, section 11.4.

/// What the lines say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// There are none.
    Absent,
    /// Another scheme than `Bearer`.
    Foreign,
    /// `Bearer`, and this behind it.
    Bearer(Vec<u8>),
    /// No `credentials`, or several.
    Malformed,
}

/// A `rest` of more bytes is not looked into: it is no token, whatever is in it.
pub const LOOKED_INTO: usize = 1024;

/// Rules 2 to 6.
#[must_use]
pub fn authorization(lines: &[&[u8]]) -> Header {
    let line = match lines {
        [] => return Header::Absent,
        [line] => *line,
        // Rule 2.
        _ => return Header::Malformed,
    };
    // Rule 3.
    if [line.first(), line.last()].iter().any(|end| matches!(end, Some(b' ' | b'\t'))) {
        return Header::Malformed;
    }
    // Rule 4. The empty words between the scheme and the rest are the further spaces of `1*SP`.
    let mut words = line.split(|byte| *byte == b' ');
    let scheme = words.next().unwrap_or_default();
    if scheme.is_empty() || !scheme.iter().all(|byte| is_tchar(*byte)) {
        return Header::Malformed;
    }
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Header::Foreign;
    }
    let words: Vec<&[u8]> = words.skip_while(|word| word.is_empty()).collect();
    let rest = words.join(&b' ');
    // Rule 6, as far as it is looked into.
    let forbidden = |byte: &u8| matches!(byte, b' ' | b'\t' | b',');
    if rest.len() <= LOOKED_INTO && rest.iter().any(forbidden) {
        return Header::Malformed;
    }
    // Rule 5.
    if rest.is_empty() { Header::Malformed } else { Header::Bearer(rest) }
}

/// RFC 9110, section 5.6.2.
fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_digit() || byte.is_ascii_alphabetic() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
