//! Uses of tokens: they are recorded unless the request is rejected after all.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::{CachedToken, Principal};
use crate::lifecycle::Hallpass;

/// A provisional use of a token, by a request that may still be rejected, for example for lack of a
/// scope.
///
/// When it is dropped, the use is recorded: the request was served, or its client has gone away. A
/// use that was [cancelled](Self::cancel) leaves no trace in `last_used_at`.
#[must_use = "dropped, the use counts at once"]
pub struct PendingUse(Box<UnderWay>);

struct UnderWay {
    hallpass: Hallpass,
    token: Arc<CachedToken>,
    at: Timestamp,
    number: u64,
    is_cancelled: bool,
}

impl PendingUse {
    /// Cancels the use, because the request was rejected.
    pub fn cancel(mut self) {
        self.0.is_cancelled = true;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let is_open = self.hallpass.uses().end(self.number);
        if is_open
            && !self.is_cancelled
            && let Some(usage) = self.token.note_use(self.at)
        {
            self.hallpass.uses().record(usage);
        }
    }
}

impl Hallpass {
    /// That a principal's token is used now, by a request that may be refused yet: for those who
    /// [`verify`](Self::verify) tokens and enforce scopes themselves. To be kept until it is known what
    /// the request is answered with.
    ///
    /// `None`, on most requests, if a use within the minute was noted already: that is how fine
    /// `last_used_at` is.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use hallpass_core::{Actor, Hallpass, NewToken, Verification};
    /// # use hallpass_memory::MemoryStore;
    ///
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await?;
    /// let principal = match hallpass.verify(issued.token.reveal().as_bytes()) {
    ///     Verification::Decided(verdict) => verdict?,
    ///     Verification::Pending(check) => check.resolve().await?,
    /// };
    /// let pending = hallpass.pending_use(&principal);
    /// if principal.allows(&"projects:read".parse()?) {
    ///     drop(pending); // once it is served
    /// } else if let Some(pending) = pending {
    ///     pending.cancel();
    /// }
    /// assert!(!hallpass.has_unflushed_uses(), "a token without that scope was not used");
    /// # Ok(()) }
    /// ```
    #[must_use = "dropped, the use counts at once"]
    pub fn pending_use(&self, principal: &Principal) -> Option<PendingUse> {
        if !principal.use_is_due() {
            return None;
        }
        let (token, at) = (Arc::clone(principal.loaded()), self.now());
        let number = self.uses().begin(token.use_at(at));
        let hallpass = self.clone();
        Some(PendingUse(Box::new(UnderWay { hallpass, token, at, number, is_cancelled: false })))
    }

    /// Notes at once that a principal's token is used.
    pub(super) fn note_use(&self, principal: &Principal) {
        if principal.use_is_due()
            && let Some(usage) = principal.loaded().note_use(self.now())
        {
            self.uses().record(usage);
        }
    }
}

impl fmt::Debug for PendingUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingUse").field("token", &self.0.token.id()).finish_non_exhaustive()
    }
}
