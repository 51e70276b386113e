//! The rules for segments, which scopes, requirements and the catalog share.

use super::{Scope, ScopeError};

/// The first segments that a `*` does not cover, because they protect the most powerful scopes.
const RESERVED: [&str; 2] = ["admin", "pat"];

/// Returns whether a `*` as the first segment does not cover this one.
pub(crate) fn is_reserved(first: &str) -> bool {
    RESERVED.contains(&first)
}

/// A segment of a required scope.
pub(crate) trait Segment {
    /// Returns whether the segment equals a segment that a token holds.
    fn is(&self, held: &str) -> bool;
    /// Returns whether the segment is [reserved](is_reserved).
    fn is_reserved(&self) -> bool;
}

impl Segment for &str {
    fn is(&self, held: &str) -> bool {
        *self == held
    }

    fn is_reserved(&self) -> bool {
        is_reserved(self)
    }
}

/// Returns whether a held scope covers a needed one: each held segment is `*` or equals the needed
/// segment at the same position. The needed scope may have more segments.
pub(crate) fn covers<'h>(
    held: impl Iterator<Item = &'h str>,
    needed: impl Iterator<Item: Segment>,
) -> bool {
    let mut needed = needed;
    for (place, held) in held.enumerate() {
        let Some(needed) = needed.next() else {
            return false;
        };
        let wild = held == "*" && !(place == 0 && needed.is_reserved());
        if !wild && !needed.is(held) {
            return false;
        }
    }
    true
}

/// Returns whether RFC 6749 allows a byte in a `scope-token`.
pub(crate) fn is_scope_char(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E)
}

/// Returns whether a segment, or a part of one between slashes, is `.` or `..`. If a client put
/// such a scope into the path of a URL, the path would name another resource.
pub(crate) fn has_dot_part(text: &str) -> bool {
    text.split([':', '/']).any(|part| matches!(part, "." | ".."))
}

/// Checks length, characters and segments of a scope, but not its wildcards.
pub(super) fn validate(text: &str) -> Result<(), ScopeError> {
    if text.is_empty() {
        return Err(ScopeError::Empty);
    }
    if text.len() > Scope::MAX_LEN {
        return Err(ScopeError::TooLong);
    }
    if !text.bytes().all(is_scope_char) {
        return Err(ScopeError::Character);
    }
    if text.split(':').any(str::is_empty) {
        return Err(ScopeError::EmptySegment);
    }
    if has_dot_part(text) {
        return Err(ScopeError::DotSegment);
    }
    if text.split(':').count() > Scope::MAX_SEGMENTS {
        return Err(ScopeError::TooManySegments);
    }
    Ok(())
}
