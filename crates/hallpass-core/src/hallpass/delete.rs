use jiff::Timestamp;

use super::Hallpass;
use super::update::at_revision;
use crate::actor::{Actor, Role};
use crate::error::{Error, PermissionError};
use crate::event::EventKind;
use crate::record::Revision;
use crate::token::TokenId;

/// What became of several tokens that were to be deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeletedTokens {
    /// Gone now.
    pub deleted: Vec<TokenId>,
    /// Not there, or not for this caller.
    pub not_found: Vec<TokenId>,
}

/// How many tokens one step of a prune removes: short enough that checks go on beside it.
const PRUNE_BATCH: u32 = 500;

impl Hallpass {
    /// Removes a token for good.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Stale`] at another revision than the one expected, or the store's trouble.
    pub async fn delete(
        &self,
        by: &Actor,
        id: TokenId,
        expected: Option<Revision>,
    ) -> Result<(), Error> {
        let record = self.visible(by, id).await?.record;
        at_revision(&record, expected)?;
        match self.store().delete(id, expected).await {
            Ok(_) => {
                self.emit(&self.event(EventKind::Deleted, by).about_token(&record));
                Ok(())
            }
            Err(error) if error.is_conflict() => {
                Err(Error::Stale { current: record.revision.next() })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Removes several tokens for good, in one step. What is not there, or not for this caller, is
    /// said and is no error.
    ///
    /// # Errors
    ///
    /// The store's trouble: then none was removed.
    pub async fn delete_many(&self, by: &Actor, ids: &[TokenId]) -> Result<DeletedTokens, Error> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let only = match by.role() {
            Role::Owner => by.subject(),
            Role::Admin | Role::System => None,
        };
        let gone = self.store().delete_many(only, &ids).await?.tokens;
        for (id, owner) in &gone {
            self.emit(&self.event(EventKind::Deleted, by).about(Some(*id), owner));
        }
        let deleted: Vec<_> = gone.into_iter().map(|(id, _)| id).collect();
        let not_found = ids.into_iter().filter(|id| !deleted.contains(id)).collect();
        Ok(DeletedTokens { deleted, not_found })
    }

    /// Removes all of the caller's own tokens for good. Answers how many there were.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for an operator who acts for nobody, or the store's trouble.
    pub async fn delete_all(&self, by: &Actor) -> Result<u64, Error> {
        let owner = by.require_subject()?;
        let deleted = self.store().delete_owner(owner).await?.count;
        if deleted > 0 {
            let mut event = self.event(EventKind::Deleted, by).about(None, owner);
            event.count = deleted;
            self.emit(&event);
        }
        Ok(deleted)
    }

    /// Removes the tokens that were revoked or expired before that time, in batches, until none is
    /// left. Answers how many went. Nobody but an operator may.
    ///
    /// # Errors
    ///
    /// [`PermissionError::SystemOnly`], or the store's trouble: what is gone by then stays gone.
    pub async fn prune(&self, by: &Actor, ended_before: Timestamp) -> Result<u64, Error> {
        self.prune_with(by, ended_before, |_| {}).await
    }

    /// The same, and tells after each batch how many are gone by then.
    ///
    /// # Errors
    ///
    /// As [`prune`](Self::prune).
    pub async fn prune_with(
        &self,
        by: &Actor,
        ended_before: Timestamp,
        mut progress: impl FnMut(u64) + Send,
    ) -> Result<u64, Error> {
        if by.role() != Role::System {
            return Err(PermissionError::SystemOnly.into());
        }
        // What ends later than now has not ended. What is removed is gone for good: a store's clock that is ahead for a
        // while is not believed.
        let ended_before = ended_before.min(self.0.clock.now());
        let mut pruned = 0;
        let outcome = loop {
            match self.store().prune(ended_before, PRUNE_BATCH).await {
                // Not fewer than asked for: a store may have stopped in between, for having taken long.
                Ok(0) => break Ok(pruned),
                Ok(batch) => {
                    pruned += batch;
                    progress(pruned);
                }
                Err(error) => break Err(error.into()),
            }
        };
        if pruned > 0 {
            let mut event = self.event(EventKind::Pruned, by);
            event.count = pruned;
            self.emit(&event);
        }
        outcome
    }
}
