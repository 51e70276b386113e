//! Deletes tokens, and prunes tokens and log entries that are no longer needed.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::update::check_revision;
use super::{CallKind, Hallpass, require_subject};
use crate::actor::{Actor, Role};
use crate::error::{Error, PermissionError};
use crate::event::EventKind;
use crate::expiry::boundary;
use crate::owner::Owner;
use crate::record::Revision;
use crate::store::ChangeTarget;
use crate::token::TokenId;

/// The result of deleting several tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct DeletedTokens {
    /// The tokens that were deleted.
    pub deleted: Vec<TokenId>,
    /// The tokens that do not exist, or that the actor may not see.
    pub not_found: Vec<TokenId>,
}

/// The maximum number of tokens that one call of the store deletes. It is small, so that checks
/// continue meanwhile.
const BATCH: u32 = 500;

/// The number of log entries that one step of a prune deletes.
const PRUNE_LOG_BATCH: u32 = 5000;

impl Hallpass {
    /// Deletes a token permanently.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NotFound`] if there is no such token for this actor, [`Error::Stale`] if it
    /// is not at the expected revision, and [`Error::Store`] if the store cannot be changed.
    pub async fn delete(
        &self,
        by: &Actor,
        id: TokenId,
        expected: Option<Revision>,
    ) -> Result<(), Error> {
        let record = self.visible(CallKind::Removal, by, id).await?.record;
        check_revision(&record, expected)?;
        let event = self.event(EventKind::Deleted, by).about_change(Some(&record), None);
        let work = async move |hallpass: Self| {
            let result = hallpass.backend().delete(id, expected, &event).await;
            let seq = hallpass.refresh_if_gone(id, result).await?;
            hallpass.committed(&ChangeTarget::Token(id), seq, &event);
            Ok(())
        };
        match self.run_to_completion(CallKind::Removal, by.subject(), work).await {
            Err(error) if error.is_conflict() => {
                Err(Error::Stale { current: record.revision.next() })
            }
            outcome => Ok(outcome?),
        }
    }

    /// Deletes several tokens permanently, in transactions of at most 500 tokens. The result lists
    /// the tokens that do not exist or that the actor may not see.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Store`] if the store cannot be changed. Up to 500 tokens are then deleted
    /// together or not at all. If there are more, the tokens of earlier transactions stay deleted:
    /// call it again to delete the rest.
    pub async fn delete_many(&self, by: &Actor, ids: &[TokenId]) -> Result<DeletedTokens, Error> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let only = match by.role() {
            Role::Owner => by.subject().cloned(),
            Role::Admin | Role::System => None,
        };
        let event = self.event(EventKind::Deleted, by);
        let work = async move |hallpass: Self| {
            let mut deleted = BTreeSet::new();
            for ids in ids.chunks(BATCH as usize) {
                let result = hallpass.backend().delete_many(only.as_ref(), ids, &event).await?;
                let targets: Vec<_> = ids.iter().copied().map(ChangeTarget::Token).collect();
                match result.seq {
                    // This includes tokens that another call had deleted already, which this node
                    // may still cache. For most tokens the number is higher than necessary, which
                    // costs only a reload.
                    Some(seq) => {
                        targets.iter().for_each(|target| hallpass.backend().apply(target, seq));
                    }
                    None => hallpass.backend().refresh(&targets).await?,
                }
                for (id, owner) in &result.tokens {
                    hallpass.emit(&event.clone().about(owner, Some(*id)));
                    deleted.insert(*id);
                }
            }
            let (deleted, not_found) = ids.into_iter().partition(|id| deleted.contains(id));
            Ok(DeletedTokens { deleted, not_found })
        };
        Ok(self.run_to_completion(CallKind::Removal, by.subject(), work).await?)
    }

    /// Deletes all of the actor's own tokens permanently. Returns how many there were.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Invalid`] for a system actor without a subject, and [`Error::Store`] if the
    /// store cannot be changed.
    pub async fn delete_all(&self, by: &Actor) -> Result<u64, Error> {
        let owner = require_subject(by)?.clone();
        self.delete_owner_tokens(by, owner).await
    }

    /// Deletes all tokens of an owner, for a host that deletes the account. Returns how many there
    /// were. The owner's remembered status is forgotten on every node.
    ///
    /// # Errors
    ///
    /// Returns [`PermissionError::OnlyAdmins`] if an ordinary actor names another owner, and
    /// [`Error::Store`] if the store cannot be changed.
    pub async fn delete_owner(&self, by: &Actor, owner: &Owner) -> Result<u64, Error> {
        self.check_may_end_tokens_of(by, owner)?;
        let deleted = self.delete_owner_tokens(by, owner.clone()).await?;
        if deleted == 0 {
            self.owner_changed(by, owner).await?;
        }
        Ok(deleted)
    }

    /// Checks that the actor may revoke and delete the tokens of an owner.
    pub(super) fn check_may_end_tokens_of(&self, by: &Actor, owner: &Owner) -> Result<(), Error> {
        if by.role() == Role::Owner && by.subject() != Some(owner) {
            return Err(self.not_permitted(by, None, PermissionError::OnlyAdmins));
        }
        Ok(())
    }

    async fn delete_owner_tokens(&self, by: &Actor, owner: Owner) -> Result<u64, Error> {
        let event = self.event(EventKind::Deleted, by).about(&owner, None);
        let work = async move |hallpass: Self| {
            let result = hallpass.backend().delete_owner(&owner, &event).await?;
            hallpass.committed_bulk(ChangeTarget::Owner(owner), &result, event).await
        };
        Ok(self.run_to_completion(CallKind::Removal, by.subject(), work).await?)
    }

    /// Deletes the tokens that were revoked or expired before that time, and the entries of the
    /// audit trail that are older than its retention. Returns how many tokens were deleted.
    ///
    /// It works in batches until none is left. A token that another transaction of the database has
    /// locked may stay until the next call. Only a system actor may call it.
    ///
    /// # Errors
    ///
    /// Returns [`PermissionError::SystemOnly`] for other actors, and [`Error::Store`] if the store
    /// cannot be changed. What was deleted before the error stays deleted.
    pub async fn prune(&self, by: &Actor, ended_before: Timestamp) -> Result<u64, Error> {
        self.prune_with(by, ended_before, |_| {}).await
    }

    /// Prunes like [`prune`](Self::prune), and calls `progress` after each batch with the number of
    /// tokens deleted so far.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`prune`](Self::prune).
    pub async fn prune_with(
        &self,
        by: &Actor,
        ended_before: Timestamp,
        mut progress: impl FnMut(u64) + Send,
    ) -> Result<u64, Error> {
        if by.role() != Role::System {
            return Err(self.not_permitted(by, None, PermissionError::SystemOnly));
        }
        // A token that expires later than now has not expired. Deleting is permanent, so this uses
        // the machine's own clock: the store's clock may be ahead for a while.
        let now = self.0.settings.clock.now();
        let ended_before = boundary(ended_before.min(now));
        let mut pruned = 0;
        loop {
            let mut event = self.event(EventKind::Pruned, by);
            let work = async move |hallpass: Self| {
                event.count = hallpass.backend().prune(ended_before, BATCH, &event).await?;
                if event.count > 0 {
                    hallpass.emit(&event);
                }
                Ok(event.count)
            };
            // A batch may be smaller than its limit although it is not the last. Only 0 means that
            // no token is left, except for locked ones.
            match self.run_to_completion(CallKind::Removal, by.subject(), work).await? {
                0 => break,
                batch => pruned += batch,
            }
            progress(pruned);
        }
        if let Ok(written_before) = now.checked_sub(self.0.settings.audit_retention) {
            while self.backend().prune_log(boundary(written_before), PRUNE_LOG_BATCH).await? > 0 {}
        }
        Ok(pruned)
    }
}
