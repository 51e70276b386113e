//! One segment at a time: the rules that scopes, requirements and the catalog share.

use super::{Scope, ScopeError};

/// Families that a `*` in the first place never reaches. A token for them names them.
const RESERVED: [&str; 2] = ["admin", "pat"];

pub(crate) fn is_reserved(family: &str) -> bool {
    RESERVED.contains(&family)
}

/// A segment of what is needed, against one segment that is held.
pub(crate) trait Segment {
    fn is(&self, held: &str) -> bool;
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

/// Whether each held segment equals, or is `*`, at the same place. What is needed may go on after
/// that.
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

/// RFC 6749's `scope-token` characters.
pub(crate) fn is_scope_char(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E)
}

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
    if text.split(':').count() > Scope::MAX_SEGMENTS {
        return Err(ScopeError::TooManySegments);
    }
    Ok(())
}
