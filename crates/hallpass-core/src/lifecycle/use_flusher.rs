//! What goes on behind the requests: uses of tokens on their way to the store, and its end.

use super::Hallpass;
use crate::error::Error;
use crate::event::EventKind;
use crate::token::TokenId;
use crate::usage::Flush;

impl Hallpass {
    /// Writes what waits in memory to the store: uses, and digests to be made anew after a pepper was
    /// rotated. The layer does so every few seconds; call it when the process ends. Answers how
    /// many tokens' times of last use moved.
    ///
    /// # Errors
    ///
    /// The store's own trouble. Uses that were not written wait for the next flush, even if the
    /// future is dropped half way; digests wait for their token's next use.
    pub async fn flush_uses(&self) -> Result<u64, Error> {
        let moved = self.write_uses().await?;
        for (id, upgrade) in self.digest_upgrades().take() {
            match self.replace_digest(id, upgrade, EventKind::DigestReplaced).await {
                // A store that is down is not asked again for each of the others.
                Err(error) if error.is_unavailable() => return Err(error.into()),
                // Done; or the token has another secret by now, or is gone.
                _ => {}
            }
        }
        Ok(moved)
    }

    /// Ends what goes on in the background: writes what waits in memory, and lets go of the store. To be called
    /// when the last request has been answered, or its time is over: what is still being answered counts as a use of
    /// its token, and is written too. Checks after it may be answered with 503, or from what a cache may still rely on.
    /// Called again, it does nothing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), hallpass_core::Error> {
    /// # use hallpass_core::{Actor, Hallpass, NewToken};
    /// # use hallpass_memory::MemoryStore;
    /// # let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// # let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await?;
    /// # hallpass.authenticate(issued.token.reveal().as_bytes()).await.unwrap();
    /// // axum::serve(..).with_graceful_shutdown(..).await, and then:
    /// hallpass.shutdown().await?;
    /// assert!(!hallpass.has_unflushed_uses());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// What waited could not be written, and is lost: times of last use, which count as
    /// [dropped](Self::dropped_uses), and nothing else. The store is let go of all the same.
    pub async fn shutdown(&self) -> Result<(), Error> {
        self.uses().count_all_under_way();
        let flushed = self.flush_uses().await;
        self.backend().close().await;
        if let Err(error) = &flushed {
            let uses = self.uses().drop_all();
            tracing::warn!(target: "hallpass", %error, uses, "times of last use are lost: they could not be written at the end");
        }
        flushed.map(drop)
    }

    /// The waiting use of one token: whoever looks at it or changes it waits for no others.
    pub(super) async fn write_use_of(&self, id: TokenId) -> Result<u64, Error> {
        self.write(self.uses().flush_one(id)).await
    }

    /// The uses alone: those who list tokens wait for them, and for nothing else.
    pub(super) async fn write_uses(&self) -> Result<u64, Error> {
        self.write(self.uses().flush()).await
    }

    async fn write(&self, mut flush: Flush<'_>) -> Result<u64, Error> {
        let mut moved = 0;
        while let Some(batch) = flush.next_batch() {
            moved += self.backend().record_uses(batch).await?;
            flush.batch_written();
        }
        Ok(moved)
    }

    /// Whether uses wait to be written.
    #[must_use]
    pub fn has_unflushed_uses(&self) -> bool {
        !self.uses().is_empty()
    }

    /// How many uses were dropped since the start: too many tokens' uses waited, or
    /// [`shutdown`](Self::shutdown) could not write them.
    #[must_use]
    pub fn dropped_uses(&self) -> u64 {
        self.uses().dropped()
    }
}
