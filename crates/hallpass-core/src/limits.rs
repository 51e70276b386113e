use jiff::SignedDuration;

use crate::expiry::Expiry;

/// The bounds a host sets on the tokens of its people.
///
/// ```
/// use hallpass_core::{Expiry, Limits};
/// use jiff::SignedDuration;
///
/// let limits = Limits::default()
///     .tokens_per_owner(10)
///     .longest_lifetime(SignedDuration::from_hours(365 * 24))
///     .default_expiry(Expiry::days(30));
/// assert_eq!(limits.tokens_per_owner, Some(10));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many tokens one owner may have, in whatever state: each counts until it is deleted. 50
    /// by default, no bound if `None`.
    pub tokens_per_owner: Option<u32>,
    /// The longest time from issue or regeneration to expiry. A token that never ends is then
    /// refused, and [`default_expiry`](Self::default_expiry) must be within it, or the handle is
    /// not built.
    pub longest_lifetime: Option<SignedDuration>,
    /// Used where a request gives no expiry: never, by default.
    pub default_expiry: Expiry,
}

impl Default for Limits {
    fn default() -> Self {
        Self { tokens_per_owner: Some(50), longest_lifetime: None, default_expiry: Expiry::Never }
    }
}

impl Limits {
    /// How many tokens one owner may have.
    #[must_use]
    pub fn tokens_per_owner(mut self, tokens: u32) -> Self {
        self.tokens_per_owner = Some(tokens);
        self
    }

    /// Lets an owner have any number of tokens.
    #[must_use]
    pub fn unlimited_tokens(mut self) -> Self {
        self.tokens_per_owner = None;
        self
    }

    /// The longest time a token may live; every token then ends.
    #[must_use]
    pub fn longest_lifetime(mut self, span: SignedDuration) -> Self {
        self.longest_lifetime = Some(span);
        self
    }

    /// What a token gets that is issued without an expiry.
    #[must_use]
    pub fn default_expiry(mut self, expiry: Expiry) -> Self {
        self.default_expiry = expiry;
        self
    }
}
