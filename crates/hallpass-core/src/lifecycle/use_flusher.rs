//! Writes times of last use to the store, and shuts the handle down.

use super::Hallpass;
use crate::actor::Origin;
use crate::error::Error;
use crate::event::EventKind;
use crate::token::TokenId;
use crate::usage::Flush;

impl Hallpass {
    /// Writes the data that waits in memory to the store: times of last use, and new digests after
    /// a pepper was rotated. Returns how many tokens got a later time of last use.
    ///
    /// The layer calls this every few seconds.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Store`] if the store cannot be changed. Uses that were not written wait for
    /// the next flush, even if the future is dropped. Digests wait for the next use of their token.
    pub async fn flush_uses(&self) -> Result<u64, Error> {
        let moved = self.write_uses().await?;
        for (id, upgrade) in self.digest_upgrades().take() {
            // The write is not part of the request that used the token.
            let origin = Origin::default();
            match self.replace_digest(id, upgrade, EventKind::DigestReplaced, origin).await {
                // If the store is down, the others would fail as well.
                Err(error) if error.is_unavailable() => return Err(error.into()),
                // The digest was replaced, or the token has another secret by now or was deleted.
                _ => {}
            }
        }
        Ok(moved)
    }

    /// Writes the data that waits in memory, stops the cache, and closes the store. Call it after
    /// the last request was answered.
    ///
    /// Requests that are still running count as uses of their tokens. Later checks return
    /// [`AuthError::Unavailable`](crate::AuthError::Unavailable). Calling it again does nothing.
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
    /// Returns [`Error::Store`] if the waiting times of last use could not be written. They are
    /// lost and count as [dropped](Self::dropped_uses). Nothing else is lost, and the store is
    /// closed anyway.
    pub async fn shutdown(&self) -> Result<(), Error> {
        self.uses().record_provisional();
        let flushed = self.flush_uses().await;
        self.backend().close().await;
        if let Err(error) = &flushed {
            let uses = self.uses().drop_all();
            tracing::warn!(target: "hallpass", %error, uses, "could not write times of last use at shutdown, they are lost");
        }
        flushed.map(drop)
    }

    /// Writes the waiting use of one token.
    pub(super) async fn write_use_of(&self, id: TokenId) -> Result<u64, Error> {
        self.write(self.uses().flush_one(id)).await
    }

    /// Writes the waiting uses of all tokens.
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

    /// Returns whether uses wait to be written.
    #[must_use]
    pub fn has_unflushed_uses(&self) -> bool {
        !self.uses().is_empty()
    }

    /// Returns how many uses were dropped since the start, because too many tokens were waiting or
    /// because [`shutdown`](Self::shutdown) could not write them.
    #[must_use]
    pub fn dropped_uses(&self) -> u64 {
        self.uses().dropped()
    }
}
