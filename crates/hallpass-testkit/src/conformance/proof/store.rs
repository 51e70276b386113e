//! What each call is, with and without its flaws.

use std::sync::atomic::Ordering;

use hallpass_core::store::{
    BulkResult, Change, ChangeBatch, ChangeEntry, ChangeSeq, ChangeTarget, Deleted, ListPage,
    ListQuery, LogPosition, Secrets, Snapshot, StoreError, StoredToken, TokenStore, TokenUse,
};
use hallpass_core::{Digest, Owner, Revision, TokenId};
use jiff::Timestamp;
use tokio::task::yield_now;

use super::flaw::Flaw;
use super::flawed::Flawed;
use super::list;

impl TokenStore for Flawed {
    async fn insert(
        &self,
        token: &StoredToken,
        limit: Option<u32>,
    ) -> Result<ChangeSeq, StoreError> {
        let (id, owner) = (token.record.id, &token.record.owner);
        if self.flaw == Flaw::DroppedCallsKeepTheLock {
            self.all.left_locked.store(true, Ordering::SeqCst);
            yield_now().await;
            self.all.left_locked.store(false, Ordering::SeqCst);
        }
        let mut limit = limit;
        if let (Flaw::LimitIsLookedAtFirst, Some(most)) = (self.flaw, limit) {
            let in_use = self.ids_of(owner, false).await?.len() as u64;
            if in_use >= u64::from(most) {
                return Err(StoreError::limit_reached(in_use));
            }
            yield_now().await;
            limit = None;
        }
        let log = self.lock().await?;
        if let (Flaw::LimitForgetsRevoked, Some(most)) = (self.flaw, limit) {
            let all = self.ids_of(owner, false).await?.len();
            let counted = self.ids_of(owner, true).await?.len();
            limit = Some(most + (all - counted) as u32);
        }
        if self.flaw == Flaw::InsertReplaces {
            let _ = self.data().delete(id, None).await;
        }
        let kept = self.kept(token);
        if let Err(refused) = self.data().insert(&kept, limit).await {
            if self.flaw == Flaw::RefusalsAreLogged {
                self.log(log, ChangeTarget::Token(id)).await?;
            }
            return Err(refused);
        }
        self.all.ever.lock().expect("no panic").insert(id, kept);
        self.log(log, ChangeTarget::Token(id)).await
    }

    async fn find(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        if self.flaw == Flaw::FindIsFromACache
            && let Some(found) = self.found.lock().expect("no panic").get(&id)
        {
            return Ok(found.clone());
        }
        let log = self.lock().await?;
        let value = self.get(id).await;
        let mut as_of = Self::head(&log).seq;
        drop(log);
        if self.has(Flaw::AsOfIsReadLater).await {
            as_of = Self::head(&self.lock().await?).seq;
        }
        if self.flaw == Flaw::AsOfIsOld {
            as_of = ChangeSeq::new(as_of.get().saturating_sub(1));
        }
        let found = Snapshot { value, as_of };
        self.found.lock().expect("no panic").insert(id, found.clone());
        Ok(found)
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        let _one_instant = self.lock().await?;
        list::list(self, query).await
    }

    async fn change(&self, change: &Change) -> Result<ChangeSeq, StoreError> {
        let log = self.lock().await?;
        let id = change.record.id;
        let mut change = change.clone();
        let before = self.get(id).await;
        if let (Flaw::ChangeIgnoresTheRevision, Some(before)) = (self.flaw, &before) {
            change.record.revision = before.record.revision.next();
        }
        self.data().change(&change).await?;
        if let Some(mut after) = self.get(id).await {
            if self.flaw == Flaw::ChangeTakesTheLastUse {
                after.record.last_used_at = change.record.last_used_at;
            }
            if self.flaw == Flaw::ChangeDropsThePreviousSecret && change.secrets.is_none() {
                after.secrets.previous = None;
            }
            self.put(&after).await?;
        }
        self.log(log, ChangeTarget::Token(id)).await
    }

    async fn rekey(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
    ) -> Result<ChangeSeq, StoreError> {
        let log = self.lock().await?;
        let before = self.get(id).await.ok_or_else(StoreError::not_found)?;
        let ignored = self.flaw == Flaw::RekeyIgnoresTheDigest;
        let expected = if ignored { &before.secrets.current } else { expected };
        self.data().rekey(id, expected, secrets).await?;
        if self.flaw == Flaw::RekeyIsARevision
            && let Some(mut after) = self.get(id).await
        {
            after.record.revision = after.record.revision.next();
            self.put(&after).await?;
        }
        self.log(log, ChangeTarget::Token(id)).await
    }

    async fn delete(
        &self,
        id: TokenId,
        expected: Option<Revision>,
    ) -> Result<ChangeSeq, StoreError> {
        let log = self.lock().await?;
        let expected = expected.filter(|_| self.flaw != Flaw::DeleteIgnoresTheRevision);
        self.data().delete(id, expected).await?;
        if self.flaw == Flaw::DeletesAreNotLogged {
            return Ok(Self::head(&log).seq);
        }
        self.log(log, ChangeTarget::Token(id)).await
    }

    async fn delete_many(
        &self,
        owner: Option<&Owner>,
        ids: &[TokenId],
    ) -> Result<Deleted, StoreError> {
        let mut all = Deleted::default();
        let owner = owner.filter(|_| self.flaw != Flaw::DeleteManyIgnoresTheOwner);
        let mut log = self.lock().await?;
        for id in ids {
            if self.flaw == Flaw::DeleteManyGoesOneByOne {
                drop(log);
                yield_now().await;
                log = self.lock().await?;
            }
            let gone = self.data().delete_many(owner, &[*id]).await?.tokens;
            if gone.is_empty() {
                continue;
            }
            all.tokens.extend(gone);
            all.seq = Some(self.log_under(&mut log, ChangeTarget::Token(*id))?);
        }
        Ok(all)
    }

    async fn delete_owner(&self, owner: &Owner) -> Result<BulkResult, StoreError> {
        let log = self.lock().await?;
        let ids = self.ids_of(owner, false).await?;
        self.data().delete_owner(owner).await?;
        self.log_owner(log, owner, &ids).await
    }

    async fn revoke_owner(&self, owner: &Owner, at: Timestamp) -> Result<BulkResult, StoreError> {
        let mut ids = self.ids_of(owner, self.flaw != Flaw::RevokeAllTakesAll).await?;
        yield_now().await;
        let log = self.lock().await?;
        if self.flaw != Flaw::RevokeAllLooksFirst {
            ids = self.ids_of(owner, self.flaw != Flaw::RevokeAllTakesAll).await?;
        }
        for id in &ids {
            let Some(mut token) = self.get(*id).await else { continue };
            token.record.revoked_at = Some(at);
            if self.flaw != Flaw::RevokeAllKeepsRevisions {
                token.record.revision = token.record.revision.next();
            }
            self.put(&token).await?;
        }
        self.log_owner(log, owner, &ids).await
    }

    async fn announce(&self, owner: &Owner) -> Result<ChangeSeq, StoreError> {
        self.log(self.lock().await?, ChangeTarget::Owner(owner.clone())).await
    }

    async fn touch(&self, uses: &[TokenUse]) -> Result<u64, StoreError> {
        let mut log = self.lock().await?;
        let mut moved = 0;
        let most = if self.flaw == Flaw::TouchCutsOff { 1000 } else { uses.len() };
        for usage in uses.iter().take(most) {
            let mut usage = *usage;
            let token = match (self.get(usage.id).await, self.flaw) {
                (None, Flaw::TouchRevives) => {
                    self.all.ever.lock().expect("no panic").get(&usage.id).cloned()
                }
                (token, _) => token,
            };
            let Some(mut token) = token else { continue };
            if self.flaw == Flaw::TouchIgnoresTheRevision {
                usage.revision = token.record.revision;
            }
            let later = token.record.last_used_at.is_none_or(|last| last < usage.at);
            if usage.revision == token.record.revision
                && (later || self.flaw == Flaw::TouchGoesBack)
            {
                token.record.last_used_at = Some(usage.at);
                self.put(&token).await?;
                moved += 1;
                if self.flaw == Flaw::TouchIsLogged {
                    self.log_under(&mut log, ChangeTarget::Token(usage.id))?;
                }
            }
        }
        Ok(moved)
    }

    async fn prune(&self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut log = self.lock().await?;
        let limit = if self.flaw == Flaw::PruneIgnoresTheLimit { u32::MAX } else { limit };
        let mut before = ended_before;
        if self.flaw == Flaw::PruneIncludesTheInstant {
            before = before.saturating_add(jiff::SignedDuration::from_millis(1)).unwrap_or(before);
        }
        if self.flaw == Flaw::PruneLooksFirst {
            drop(log);
            return self.prune_later(before, limit).await;
        }
        let pruned = self.data().prune(before, limit).await?;
        if self.flaw == Flaw::PruneIsLogged && pruned > 0 {
            let owner = Owner::new("somebody").map_err(StoreError::unavailable)?;
            self.log_under(&mut log, ChangeTarget::Owner(owner))?;
        }
        Ok(pruned)
    }

    async fn changes(
        &self,
        from: Option<LogPosition>,
        limit: u32,
    ) -> Result<ChangeBatch, StoreError> {
        let log = self.lock().await?;
        let behind = |line: &&ChangeEntry| {
            from.is_some_and(|from| {
                let left_out = self.flaw == Flaw::ChangesLeaveOutThePlace && line.at == from;
                line.at.seq >= from.seq && !left_out
            })
        };
        let lines = log.iter().filter(behind).take(limit as usize).cloned().collect();
        let mut head = Self::head(&log);
        drop(log);
        if self.has(Flaw::ChangesReadTheHeadLater).await {
            head = Self::head(&self.lock().await?);
        }
        Ok(ChangeBatch { lines, head, time: None })
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.lock().await.map(drop)
    }
}
