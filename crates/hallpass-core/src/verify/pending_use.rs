//! Provisional uses of tokens, which are recorded unless the request is rejected.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::{CachedToken, Principal};
use crate::lifecycle::Hallpass;

/// A provisional use of a token, by a request that may still be rejected, for example for lack of a
/// scope.
///
/// Dropping it records the use, because the request was served or its client has disconnected. A
/// use that was [cancelled](Self::cancel) does not change `last_used_at`.
#[must_use = "a pending use is recorded as soon as it is dropped"]
pub struct PendingUse(Box<ProvisionalUse>);

/// The data of a provisional use.
struct ProvisionalUse {
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

impl Drop for ProvisionalUse {
    fn drop(&mut self) {
        let is_open = self.hallpass.uses().end(self.number);
        if is_open
            && !self.is_cancelled
            && let Some(usage) = self.token.mark_use(self.at)
        {
            self.hallpass.uses().record(usage);
        }
    }
}

impl Hallpass {
    /// Starts a provisional use of a principal's token. Call it after [`verify`](Self::verify), and
    /// keep the result until the request is served or rejected.
    ///
    /// Returns `None` if a use within this minute is recorded already, which is the case for most
    /// requests: `last_used_at` has a resolution of one minute.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use hallpass_core::{Actor, Hallpass, NewToken, Verification};
    /// # use hallpass_memory::MemoryStore;
    ///
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await?;
    /// let principal = match hallpass.verify(issued.token.reveal().as_bytes()) {
    ///     Verification::Decided(result) => result?,
    ///     Verification::Pending(check) => check.resolve().await?,
    /// };
    /// let pending = hallpass.pending_use(&principal);
    /// if principal.allows(&"projects:read".parse()?) {
    ///     drop(pending); // after the request was served
    /// } else if let Some(pending) = pending {
    ///     pending.cancel();
    /// }
    /// assert!(!hallpass.has_unflushed_uses(), "a token without that scope was not used");
    /// # Ok(()) }
    /// ```
    #[must_use = "a pending use is recorded as soon as it is dropped"]
    pub fn pending_use(&self, principal: &Principal) -> Option<PendingUse> {
        if !principal.use_is_due() {
            return None;
        }
        let (token, at) = (Arc::clone(principal.token()), self.now());
        let number = self.uses().begin(token.use_at(at));
        let hallpass = self.clone();
        let is_cancelled = false;
        Some(PendingUse(Box::new(ProvisionalUse { hallpass, token, at, number, is_cancelled })))
    }

    /// Records a use of a principal's token.
    pub(super) fn record_use(&self, principal: &Principal) {
        if principal.use_is_due()
            && let Some(usage) = principal.token().mark_use(self.now())
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
