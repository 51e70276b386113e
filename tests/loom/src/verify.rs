//! What a token's scopes answer to requirements that are numbered.

#[path = "../../../crates/hallpass-core/src/requirement/scope_memo.rs"]
mod scope_memo;

use self::scope_memo::{NUMBERED, ScopeMemo};

#[derive(Default)]
pub(crate) struct Requirements(ScopeMemo);

impl Requirements {
    /// Whether the last of the numbered requirements is met, if comparing scopes says so.
    pub(crate) fn last_is_met(&self, compared: bool) -> bool {
        self.0.get_or_compare(NUMBERED - 1, || compared)
    }

    /// The same of the one before, which is another bit of the same word.
    pub(crate) fn one_before_is_met(&self, compared: bool) -> bool {
        self.0.get_or_compare(NUMBERED - 2, || compared)
    }
}
