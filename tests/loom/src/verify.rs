//! The memo of whether a token's scopes meet the numbered requirements.

#[path = "../../../crates/hallpass-core/src/requirement/scope_memo.rs"]
mod scope_memo;

use self::scope_memo::{NUMBERED, ScopeMemo};

#[derive(Default)]
pub(crate) struct Requirements(ScopeMemo);

impl Requirements {
    /// Returns whether the last numbered requirement is met. `compared` is the result of comparing
    /// the scopes.
    pub(crate) fn last_is_met(&self, compared: bool) -> bool {
        self.0.get_or_compare(NUMBERED - 1, || compared)
    }

    /// Returns whether the requirement before the last one is met. Its bit is in the same word.
    pub(crate) fn one_before_is_met(&self, compared: bool) -> bool {
        self.0.get_or_compare(NUMBERED - 2, || compared)
    }
}
