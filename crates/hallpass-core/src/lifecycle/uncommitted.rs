//! Changes in a transaction of the host.

use super::{Hallpass, Issued, NewToken, require_subject};
use crate::actor::Actor;
use crate::error::Error;
use crate::event::{Event, EventKind};
use crate::owner::Owner;
use crate::record::TokenRecord;
use crate::store::{BulkResult, ChangeSeq, ChangeTarget, StoreError, StoredToken};

/// A change that a store has made in a transaction of the host, which is not committed yet.
///
/// Call [`committed`](Self::committed) after the commit. It reports the event, and makes the change
/// visible on this node at once. Without that call, every node still reads the change from the log,
/// within the staleness bound of its cache.
#[derive(Debug)]
#[must_use = "call `committed` after the transaction was committed"]
pub struct Uncommitted<T> {
    value: T,
    hallpass: Hallpass,
    target: ChangeTarget,
    seq: Option<ChangeSeq>,
    /// The highest number that this node had seen before the change.
    highest_before: ChangeSeq,
    event: Event,
}

impl<T> Uncommitted<T> {
    /// Returns the result of the change, after its transaction was committed.
    pub fn committed(self) -> T {
        if let Some(seq) = self.seq {
            self.hallpass.backend().check_history(self.highest_before, seq);
            self.hallpass.committed(&self.target, seq, &self.event);
        }
        self.value
    }
}

impl Uncommitted<Issued> {
    /// Returns the record of the token. The secret is available only after the commit.
    #[must_use]
    pub fn record(&self) -> &TokenRecord {
        &self.value.record
    }
}

impl Hallpass {
    /// Issues a token with an insertion that a store makes in the host's transaction.
    #[doc(hidden)]
    pub async fn issue_with<F>(
        &self,
        by: &Actor,
        new: NewToken,
        insert: F,
    ) -> Result<Uncommitted<Issued>, Error>
    where
        F: AsyncFnOnce(&StoredToken, Option<u32>, &Event) -> Result<ChangeSeq, StoreError>,
    {
        let owner = require_subject(by)?;
        let draft = self.draft(&new)?;
        self.check_grantable(by, owner, &draft.scopes).await?;
        let (token, stored) = self.assemble_draft(&draft, owner)?;
        let event = self.event(EventKind::Issued, by).about_change(None, Some(&stored.record));
        let highest_before = self.backend().highest_seq();
        let seq = insert(&stored, self.limits().tokens_per_owner, &event)
            .await
            .map_err(|error| self.not_inserted(error))?;
        let record = stored.record;
        let target = ChangeTarget::Token(record.id);
        let value = Issued { token, record };
        Ok(Uncommitted {
            value,
            hallpass: self.clone(),
            target,
            seq: Some(seq),
            highest_before,
            event,
        })
    }

    /// Deletes all tokens of an owner with a deletion that a store makes in the host's transaction.
    #[doc(hidden)]
    pub async fn delete_owner_with<F>(
        &self,
        by: &Actor,
        owner: &Owner,
        delete: F,
    ) -> Result<Uncommitted<u64>, Error>
    where
        F: AsyncFnOnce(&Owner, &Event) -> Result<BulkResult, StoreError>,
    {
        self.check_may_end_tokens_of(by, owner)?;
        let mut event = self.event(EventKind::Deleted, by).about(owner, None);
        let highest_before = self.backend().highest_seq();
        let BulkResult { count, seq } = delete(owner, &event).await?;
        event.count = count;
        let target = ChangeTarget::Owner(owner.clone());
        Ok(Uncommitted { value: count, hallpass: self.clone(), target, seq, highest_before, event })
    }
}
