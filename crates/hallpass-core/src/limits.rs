//! The limits of a host on the tokens of its owners.

use jiff::SignedDuration;

use crate::expiry::Expiry;

/// The limits that a host sets on the tokens of its owners.
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
    /// The maximum number of tokens of one owner. Expired and revoked tokens count until they are
    /// deleted. The default is 50. `None` means that there is no limit.
    pub tokens_per_owner: Option<u32>,
    /// The longest time from issue or regeneration to expiry. If it is set, every token must
    /// expire, and [`default_expiry`](Self::default_expiry) must be within it: otherwise
    /// [`HallpassBuilder::build`](crate::HallpassBuilder::build) panics.
    pub longest_lifetime: Option<SignedDuration>,
    /// The expiry of a token that is issued without one. The default is [`Expiry::Never`].
    pub default_expiry: Expiry,
}

impl Default for Limits {
    fn default() -> Self {
        Self { tokens_per_owner: Some(50), longest_lifetime: None, default_expiry: Expiry::Never }
    }
}

impl Limits {
    /// Sets the maximum number of tokens of one owner.
    #[must_use]
    pub fn tokens_per_owner(mut self, tokens: u32) -> Self {
        self.tokens_per_owner = Some(tokens);
        self
    }

    /// Removes the limit on the number of tokens of one owner.
    #[must_use]
    pub fn unlimited_tokens(mut self) -> Self {
        self.tokens_per_owner = None;
        self
    }

    /// Sets the longest time from issue or regeneration to expiry. Every token must then expire.
    #[must_use]
    pub fn longest_lifetime(mut self, span: SignedDuration) -> Self {
        self.longest_lifetime = Some(span);
        self
    }

    /// Sets the expiry of a token that is issued without one.
    #[must_use]
    pub fn default_expiry(mut self, expiry: Expiry) -> Self {
        self.default_expiry = expiry;
        self
    }
}
