//! Parses the `Authorization` header (RFC 6750, section 2.1, and RFC 9110, section 11.4).

/// The meaning of the `Authorization` lines of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// There is no line.
    Absent,
    /// The scheme is not `Bearer`.
    Foreign,
    /// The scheme is `Bearer`, followed by this text.
    Bearer(Vec<u8>),
    /// There are several lines, or the line does not match `credentials`.
    Malformed,
}

/// The maximum length of a `rest` that is checked for forbidden bytes. A longer one is no token in
/// any case.
pub const LOOKED_INTO: usize = 1024;

/// Applies rules 2 to 6 to the `Authorization` lines of a request.
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
    // Rule 4. Each additional space of `1*SP` yields an empty word after the scheme.
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
    // Rule 6, up to the maximum length.
    let forbidden = |byte: &u8| matches!(byte, b' ' | b'\t' | b',');
    if rest.len() <= LOOKED_INTO && rest.iter().any(forbidden) {
        return Header::Malformed;
    }
    // Rule 5.
    if rest.is_empty() { Header::Malformed } else { Header::Bearer(rest) }
}

/// Returns whether a byte is a `tchar` (RFC 9110, section 5.6.2).
fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_digit() || byte.is_ascii_alphabetic() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
