//! Each call, with and without its flaws.

use std::sync::atomic::Ordering;

use hallpass_core::store::{
    AuditEntry, AuditPage, AuditQuery, BulkResult, Change, ChangeBatch, ChangeEntry, ChangeSeq,
    ChangeTarget, Deleted, ListPage, ListQuery, LogPosition, Secrets, Snapshot, StoreError,
    StoredToken, TokenStore, TokenUse,
};
use hallpass_core::{Digest, Event, Owner, Revision, TokenId, TokenRecord};
use jiff::{SignedDuration, Timestamp};
use tokio::task::yield_now;

use super::flaw::Flaw;
use super::flawed::{Flawed, Line, ended_before};
use super::list;

impl TokenStore for Flawed {
    async fn insert(
        &self,
        token: &StoredToken,
        limit: Option<u32>,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let (id, owner) = (token.record.id, &token.record.owner);
        if self.flaw == Flaw::CancelledCallsKeepTheLock {
            self.all.left_locked.store(true, Ordering::SeqCst);
            yield_now().await;
            self.all.left_locked.store(false, Ordering::SeqCst);
        }
        let mut limit = limit;
        if let (Flaw::LimitIsCheckedFirst, Some(most)) = (self.flaw, limit) {
            let in_use = self.ids_where(Some(owner), |_| true).await?.len() as u64;
            if in_use >= u64::from(most) {
                return Err(StoreError::limit_reached(in_use));
            }
            yield_now().await;
            limit = None;
        }
        let log = self.lock().await?;
        if let (Flaw::LimitForgetsRevoked, Some(most)) = (self.flaw, limit) {
            let is_revoked = |record: &TokenRecord| record.revoked_at.is_some();
            limit = Some(most + self.ids_where(Some(owner), is_revoked).await?.len() as u32);
        }
        if self.flaw == Flaw::InsertReplaces {
            let _ = self.data().delete(id, None, event).await;
        }
        let kept = self.kept(token);
        if let Err(rejected) = self.data().insert(&kept, limit, event).await {
            if self.flaw == Flaw::FailuresAreLogged {
                self.log(log, ChangeTarget::Token(id), event).await?;
            }
            return Err(rejected);
        }
        self.all.ever.lock().expect("no panic").insert(id, kept);
        self.log(log, ChangeTarget::Token(id), event).await
    }

    async fn get(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        if self.flaw == Flaw::GetReadsACache
            && let Some(found) = self.found.lock().expect("no panic").get(&id)
        {
            return Ok(found.clone());
        }
        let log = self.lock().await?;
        let mut value = self.token(id).await;
        if let Some(token) = &mut value {
            self.shown(&mut token.record);
        }
        let mut as_of = Self::head(&log).seq;
        drop(log);
        if self.has(Flaw::AsOfIsReadLater).await {
            as_of = Self::head(&self.lock().await?).seq;
        }
        if self.flaw == Flaw::AsOfIsOld {
            as_of = ChangeSeq::new(as_of.get().saturating_sub(1));
        }
        let snapshot = Snapshot { value, as_of };
        self.found.lock().expect("no panic").insert(id, snapshot.clone());
        Ok(snapshot)
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        let log = self.lock().await?;
        let mut page = list::list(self, query).await?;
        page.records.iter_mut().for_each(|record| self.shown(record));
        page.as_of = Self::head(&log).seq;
        drop(log);
        Ok(page)
    }

    async fn update(&self, change: &Change, event: &Event) -> Result<ChangeSeq, StoreError> {
        let log = self.lock().await?;
        let id = change.record.id;
        let mut change = change.clone();
        let before = self.token(id).await;
        if let (Flaw::UpdateIgnoresTheRevision, Some(before)) = (self.flaw, &before) {
            change.record.revision = before.record.revision.next();
        }
        if let Err(rejected) = self.data().update(&change, event).await {
            if self.flaw == Flaw::FailuresAreLogged {
                self.log(log, ChangeTarget::Token(id), event).await?;
            }
            return Err(rejected);
        }
        if let Some(mut after) = self.token(id).await {
            if self.flaw == Flaw::UpdateSetsLastUsedAt {
                after.record.last_used_at = change.record.last_used_at;
            }
            if self.flaw == Flaw::UpdateDropsThePreviousSecret && change.secrets.is_none() {
                after.secrets.previous = None;
            }
            self.put(&after).await?;
        }
        self.log(log, ChangeTarget::Token(id), event).await
    }

    async fn replace_digest(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let log = self.lock().await?;
        let before = self.token(id).await.ok_or_else(StoreError::not_found)?;
        let ignored = self.flaw == Flaw::ReplaceDigestIgnoresTheDigest;
        let expected = if ignored { &before.secrets.current } else { expected };
        self.data().replace_digest(id, expected, secrets, event).await?;
        if self.flaw == Flaw::ReplaceDigestRaisesTheRevision
            && let Some(mut after) = self.token(id).await
        {
            after.record.revision = after.record.revision.next();
            self.put(&after).await?;
        }
        self.log(log, ChangeTarget::Token(id), event).await
    }

    async fn delete(
        &self,
        id: TokenId,
        expected: Option<Revision>,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let log = self.lock().await?;
        let expected = expected.filter(|_| self.flaw != Flaw::DeleteIgnoresTheRevision);
        self.data().delete(id, expected, event).await?;
        if self.flaw == Flaw::DeletesAreNotLogged {
            return Ok(Self::head(&log).seq);
        }
        self.log(log, ChangeTarget::Token(id), event).await
    }

    async fn delete_many(
        &self,
        owner: Option<&Owner>,
        ids: &[TokenId],
        event: &Event,
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
            let deleted = self.data().delete_many(owner, &[*id], event).await?.tokens;
            let Some((_, of)) = deleted.first() else { continue };
            let mut event = event.clone();
            (event.token_id, event.owner) = (Some(*id), Some(of.clone()));
            if self.flaw != Flaw::DeleteManyLogsOneEntry || all.seq.is_none() {
                all.seq = Some(self.log_under(&mut log, ChangeTarget::Token(*id), &event)?);
            }
            all.tokens.extend(deleted);
        }
        Ok(all)
    }

    async fn delete_owner(&self, owner: &Owner, event: &Event) -> Result<BulkResult, StoreError> {
        let log = self.lock().await?;
        let ids = self.ids_where(Some(owner), |_| true).await?;
        self.data().delete_owner(owner, event).await?;
        self.log_bulk(log, ChangeTarget::Owner(owner.clone()), event, &ids).await
    }

    async fn revoke_owner(
        &self,
        owner: &Owner,
        issued_before: Option<Timestamp>,
        at: Timestamp,
        event: &Event,
    ) -> Result<BulkResult, StoreError> {
        let issued_before = issued_before.filter(|_| self.flaw != Flaw::RevokeOwnerIgnoresTheAge);
        let takes_revoked = self.flaw == Flaw::RevokeOwnerTakesRevoked;
        let matches = |record: &TokenRecord| {
            (takes_revoked || record.revoked_at.is_none()) && is_older(record, issued_before)
        };
        let mut ids = self.ids_where(Some(owner), matches).await?;
        yield_now().await;
        let log = self.lock().await?;
        if self.flaw != Flaw::RevokeOwnerReadsFirst {
            ids = self.ids_where(Some(owner), matches).await?;
        }
        self.revoke(&ids, at).await?;
        self.log_bulk(log, ChangeTarget::Owner(owner.clone()), event, &ids).await
    }

    async fn revoke_everyone(
        &self,
        issued_before: Option<Timestamp>,
        at: Timestamp,
        limit: u32,
        event: &Event,
    ) -> Result<BulkResult, StoreError> {
        let log = self.lock().await?;
        let age = issued_before.filter(|_| self.flaw != Flaw::RevokeEveryoneIgnoresTheAge);
        let matches = |record: &TokenRecord| record.revoked_at.is_none() && is_older(record, age);
        let mut ids = self.ids_where(None, matches).await?;
        if self.flaw != Flaw::RevokeEveryoneIgnoresTheLimit {
            ids.truncate(limit as usize);
        }
        self.revoke(&ids, at).await?;
        self.log_bulk(log, ChangeTarget::All, event, &ids).await
    }

    async fn log_owner_change(
        &self,
        owner: &Owner,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        self.log(self.lock().await?, ChangeTarget::Owner(owner.clone()), event).await
    }

    async fn record_uses(&self, uses: &[TokenUse]) -> Result<u64, StoreError> {
        let mut log = self.lock().await?;
        let mut updated = 0;
        let most = if self.flaw == Flaw::UsesAreCutOff { 1000 } else { uses.len() };
        for usage in uses.iter().take(most) {
            let mut usage = *usage;
            let token = match (self.token(usage.id).await, self.flaw) {
                (None, Flaw::UsesRevive) => {
                    self.all.ever.lock().expect("no panic").get(&usage.id).cloned()
                }
                (token, _) => token,
            };
            let Some(mut token) = token else { continue };
            if self.flaw == Flaw::UsesIgnoreTheRevision {
                usage.revision = token.record.revision;
            }
            let later = token.record.last_used_at.is_none_or(|last| last < usage.at);
            if usage.revision == token.record.revision && (later || self.flaw == Flaw::UsesGoBack) {
                token.record.last_used_at = Some(usage.at);
                self.put(&token).await?;
                updated += 1;
                if self.flaw == Flaw::UsesAreLogged {
                    let target = ChangeTarget::Token(usage.id);
                    self.log_under(&mut log, target, &crate::conformance::samples::event())?;
                }
            }
        }
        Ok(updated)
    }

    async fn prune(
        &self,
        ended_before_time: Timestamp,
        limit: u32,
        event: &Event,
    ) -> Result<u64, StoreError> {
        let log = self.lock().await?;
        let limit = if self.flaw == Flaw::PruneIgnoresTheLimit { u32::MAX } else { limit };
        let mut before = ended_before_time;
        if self.flaw == Flaw::PruneIncludesTheInstant {
            before = before.saturating_add(SignedDuration::from_millis(1)).unwrap_or(before);
        }
        if self.flaw == Flaw::PruneReadsFirst {
            drop(log);
            return self.prune_later(before, limit).await;
        }
        let mut ids = self.ids_where(None, |record| ended_before(record, before)).await?;
        ids.truncate(limit as usize);
        self.data().delete_many(None, &ids, event).await?;
        if self.flaw == Flaw::PruneIsNotLogged {
            return Ok(ids.len() as u64);
        }
        Ok(self.log_bulk(log, ChangeTarget::None, event, &ids).await?.count)
    }

    async fn prune_log(&self, written_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut log = self.lock().await?;
        let keeps_newest = self.flaw != Flaw::PruneLogEmptiesTheLog;
        let mut most = log.len().saturating_sub(usize::from(keeps_newest));
        if self.flaw != Flaw::PruneLogIgnoresTheLimit {
            most = most.min(limit as usize);
        }
        let is_old = |line: &&Line| {
            self.flaw == Flaw::PruneLogIgnoresTheTime || line.event.at < written_before
        };
        let count = log[..most].iter().take_while(is_old).count();
        let start = match self.flaw {
            Flaw::PruneLogDeletesTheNewest => log.len().saturating_sub(count),
            _ => 0,
        };
        log.drain(start..start + count);
        Ok(count as u64)
    }

    async fn changes(
        &self,
        from: Option<LogPosition>,
        limit: u32,
    ) -> Result<ChangeBatch, StoreError> {
        let log = self.lock().await?;
        let is_wanted = |line: &&Line| {
            from.is_some_and(|from| {
                let omitted = self.flaw == Flaw::ChangesOmitThePosition && line.position == from;
                line.position.seq >= from.seq && !omitted
            })
        };
        let lines = log.iter().filter(is_wanted).take(limit as usize);
        let entries = lines
            .map(|line| ChangeEntry { position: line.position, target: line.target.clone() })
            .collect();
        let mut head = Self::head(&log);
        drop(log);
        if self.has(Flaw::ChangesReadTheHeadLater).await {
            head = Self::head(&self.lock().await?);
        }
        Ok(ChangeBatch { entries, head, time: None })
    }

    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        let log = self.lock().await?;
        let mut query = query.clone();
        match self.flaw {
            Flaw::AuditIgnoresTheOwner => query.owner = None,
            Flaw::AuditIgnoresTheToken => query.token_id = None,
            Flaw::AuditIncludesUntil => {
                let later = |time: Timestamp| time.saturating_add(SignedDuration::from_millis(1));
                query.until = query.until.and_then(|time| later(time).ok());
            }
            Flaw::AuditPagesSkip => {
                let skip = |seq: ChangeSeq| match query.ascending {
                    true => seq.next(),
                    false => ChangeSeq::new(seq.get().saturating_sub(1)),
                };
                query.after = query.after.map(skip);
            }
            _ => {}
        }
        let mut lines: Vec<_> = log.iter().collect();
        if !query.ascending {
            lines.reverse();
        }
        lines.retain(|line| {
            let seq = line.position.seq;
            let is_after =
                |after: ChangeSeq| if query.ascending { seq > after } else { seq < after };
            query.after.is_none_or(is_after) && query.matches(&line.event)
        });
        let limit = query.limit as usize;
        let is_full = self.flaw == Flaw::AuditPagesPromiseMore && lines.len() == limit;
        let more = lines.len() > limit || is_full;
        let entry = |line: &Line| AuditEntry::new(line.position.seq, line.event.clone());
        Ok(AuditPage { entries: lines.into_iter().take(limit).map(entry).collect(), more })
    }

    async fn wait_for_change(&self, _: LogPosition) {
        std::future::pending::<()>().await;
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.lock().await.map(drop)
    }

    async fn close(&self) {}
}

fn is_older(record: &TokenRecord, than: Option<Timestamp>) -> bool {
    than.is_none_or(|time| record.secret_issued_at() < time)
}
