//! The implementation of [`TokenStore`].

use std::cmp::Reverse;
use std::time::Duration;

use hallpass_core::store::{
    AuditPage, AuditQuery, BulkResult, Change, ChangeBatch, ChangeKind, ChangeSeq, ChangeTarget,
    Deleted, ListPage, ListQuery, LogPosition, Secrets, Snapshot, StoreError, StoredToken,
    TokenStore, TokenUse,
};
use hallpass_core::{Digest, Event, Owner, Revision, TokenId};
use jiff::Timestamp;
use redis::Value;
use tokio::time::{Instant, sleep};

use crate::connection::{Call, within};
use crate::encoding::{self, Fields, LogEntry, id_arg};
use crate::error_class::Failure;
use crate::list::{self, SCAN_TIMEOUT};
use crate::reply::{self, unexpected_reply};
use crate::scripts;
use crate::store::{RedisStore, Shared};

/// The maximum duration of a lookup.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(1);

/// The maximum duration of another call.
const TIMEOUT: Duration = Duration::from_millis(1900);

/// The number of tokens or log entries that one call prunes. Other callers have to wait for the
/// script, which takes about a millisecond.
const PRUNE_BATCH: u32 = 128;

/// The number of uses that one script records. Other callers have to wait for the script.
const USES_BATCH: usize = 500;

/// The number of tokens that one script of `revoke_everyone` reads. Other callers have to wait for
/// the script.
const REVOKE_STEP: usize = 1000;

/// The maximum number of entries that one script of `audit` reads.
const AUDIT_STEP: u32 = 500;

/// The interval at which changes are polled for on a connection of the host.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

impl TokenStore for RedisStore {
    async fn insert(
        &self,
        token: &StoredToken,
        limit: Option<u32>,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let limit = limit.map(|limit| limit.to_string()).unwrap_or_default();
        let change = self
            .0
            .prepare(&scripts::INSERT, &ChangeTarget::Token(token.record.id), event)?
            .arg(id_arg(token.record.id))
            .arg(limit)
            .arg(token.record.owner.as_str())
            .arg(flat(&encoding::token_fields(token)));
        self.0.change(change).await?.seq()
    }

    async fn get(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        let call = Call::script(&scripts::GET, &self.0.clock).arg(id_arg(id));
        let reply = self.0.lookups.read(&call, within(LOOKUP_TIMEOUT)).await;
        let parts = reply::parts(reply.map_err(Failure::of_read)?)?;
        let [as_of, token] = &parts[..] else { return Err(unexpected_reply()) };
        let value = encoding::decode_token(id, token)?;
        Ok(Snapshot { value, as_of: reply::seq(as_of)? })
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        self.0.page(query).await
    }

    async fn update(&self, change: &Change, event: &Event) -> Result<ChangeSeq, StoreError> {
        let script = match change.kind {
            ChangeKind::Revoked => &scripts::REVOKE,
            _ => &scripts::UPDATE,
        };
        let record = &change.record;
        let mut fields = encoding::record_fields(record);
        fields.extend(change.secrets.as_ref().map(encoding::secret_fields).unwrap_or_default());
        let change = self
            .0
            .prepare(script, &ChangeTarget::Token(record.id), event)?
            .arg(id_arg(record.id))
            .arg("r")
            .arg(change.expected().get())
            .arg(flat(&fields));
        self.0.change(change).await?.seq()
    }

    async fn replace_digest(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let change = self
            .0
            .prepare(&scripts::UPDATE, &ChangeTarget::Token(id), event)?
            .arg(id_arg(id))
            .arg("k")
            .arg(encoding::digest(expected))
            .arg(flat(&encoding::secret_fields(secrets)));
        self.0.change(change).await?.seq()
    }

    async fn delete(
        &self,
        id: TokenId,
        expected: Option<Revision>,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let expected = expected.map(|revision| revision.get().to_string()).unwrap_or_default();
        let change = self
            .0
            .prepare(&scripts::DELETE, &ChangeTarget::Token(id), event)?
            .arg(id_arg(id))
            .arg(expected);
        self.0.change(change).await?.seq()
    }

    async fn delete_many(
        &self,
        owner: Option<&Owner>,
        ids: &[TokenId],
        event: &Event,
    ) -> Result<Deleted, StoreError> {
        if ids.is_empty() {
            return Ok(Deleted::default());
        }
        // The script sets the target of each entry to its own token.
        let change = self
            .0
            .prepare(&scripts::DELETE_MANY, &ChangeTarget::None, event)?
            .arg(owner.map(Owner::as_str).unwrap_or_default());
        let change = ids.iter().fold(change, |change, id| change.arg(id_arg(*id)));
        let result = self.0.change(change).await?;
        let Some(last) = result.seq else { return Ok(Deleted::default()) };
        let tokens = result.rest.chunks(2).map(|token| match token {
            [id, owner] => Ok((encoding::decode_id(id)?, encoding::decode_owner(owner)?)),
            _ => Err(unexpected_reply()),
        });
        Ok(Deleted { tokens: tokens.collect::<Result<_, _>>()?, seq: Some(last) })
    }

    async fn delete_owner(&self, owner: &Owner, event: &Event) -> Result<BulkResult, StoreError> {
        let target = ChangeTarget::Owner(owner.clone());
        let change = self.0.prepare(&scripts::DELETE_OWNER, &target, event)?.arg(owner.as_str());
        Ok(self.0.change(change).await?.bulk())
    }

    async fn revoke_owner(
        &self,
        owner: &Owner,
        issued_before: Option<Timestamp>,
        at: Timestamp,
        event: &Event,
    ) -> Result<BulkResult, StoreError> {
        let target = ChangeTarget::Owner(owner.clone());
        let change = self
            .0
            .prepare(&scripts::REVOKE_OWNER, &target, event)?
            .arg(encoding::optional_time(issued_before))
            .arg(encoding::time(at))
            .arg(owner.as_str());
        Ok(self.0.change(change).await?.bulk())
    }

    async fn revoke_everyone(
        &self,
        issued_before: Option<Timestamp>,
        at: Timestamp,
        limit: u32,
        event: &Event,
    ) -> Result<BulkResult, StoreError> {
        self.0.revoke_everyone(issued_before, at, limit, event).await
    }

    async fn log_owner_change(
        &self,
        owner: &Owner,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let target = ChangeTarget::Owner(owner.clone());
        let change = self.0.prepare(&scripts::LOG_OWNER_CHANGE, &target, event)?;
        self.0.change(change).await?.seq()
    }

    async fn record_uses(&self, uses: &[TokenUse]) -> Result<u64, StoreError> {
        let deadline = within(TIMEOUT);
        // Only the latest use of each token counts.
        let mut uses = uses.to_vec();
        uses.sort_unstable_by_key(|usage| (usage.id, usage.revision, Reverse(usage.at)));
        uses.dedup_by_key(|usage| (usage.id, usage.revision));
        let mut recorded = 0;
        for batch in uses.chunks(USES_BATCH) {
            let call = Call::script(&scripts::RECORD_USES, &self.0.clock);
            let call = batch.iter().fold(call, |call, usage| {
                call.arg(id_arg(usage.id)).arg(usage.revision.get()).arg(encoding::time(usage.at))
            });
            recorded += self.0.count(&call, deadline).await?;
        }
        Ok(recorded)
    }

    async fn prune(
        &self,
        ended_before: Timestamp,
        limit: u32,
        event: &Event,
    ) -> Result<u64, StoreError> {
        let change = self
            .0
            .prepare(&scripts::PRUNE, &ChangeTarget::None, event)?
            .arg(encoding::time(ended_before))
            .arg(limit.min(PRUNE_BATCH));
        Ok(self.0.change(change).await?.count)
    }

    async fn prune_log(&self, written_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let call = Call::script(&scripts::PRUNE_LOG, &self.0.clock)
            .arg(encoding::time(written_before))
            .arg(limit.min(PRUNE_BATCH));
        self.0.count(&call, within(TIMEOUT)).await
    }

    async fn changes(
        &self,
        from: Option<LogPosition>,
        limit: u32,
    ) -> Result<ChangeBatch, StoreError> {
        let from = from.map(|from| from.seq.get().to_string()).unwrap_or_default();
        let call = Call::script(&scripts::CHANGES, &self.0.clock).arg(from).arg(limit);
        let reply = self.0.lookups.read(&call, within(LOOKUP_TIMEOUT)).await;
        reply::changes(reply.map_err(Failure::of_read)?)
    }

    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        let deadline = within(SCAN_TIMEOUT);
        let limit = query.limit as usize;
        let mut entries = Vec::new();
        let mut after = query.after.map(|seq| seq.get().to_string()).unwrap_or_default();
        // Reading one entry more than the limit shows whether more entries follow.
        while entries.len() <= limit {
            let call = Call::script(&scripts::AUDIT, &self.0.clock)
                .arg(query.owner.as_ref().map(Owner::as_str).unwrap_or_default())
                .arg(query.token_id.map(id_arg).unwrap_or_default())
                .arg(after)
                .arg(u8::from(query.ascending))
                .arg(query.limit.saturating_add(1).min(AUDIT_STEP));
            let timeout = deadline.min(within(list::TIMEOUT));
            let reply = self.0.lists.read(&call, timeout).await.map_err(Failure::of_read)?;
            let parts = reply::parts(reply)?;
            let [last, Value::Array(found)] = &parts[..] else { return Err(unexpected_reply()) };
            for entry in found {
                let entry = LogEntry::read(entry)?.audit()?;
                if query.matches(&entry.event) {
                    entries.push(entry);
                }
            }
            after = reply::text(last)?.to_owned();
            if after.is_empty() {
                break;
            }
        }
        let more = entries.len() > limit;
        entries.truncate(limit);
        Ok(AuditPage { entries, more })
    }

    async fn wait_for_change(&self, seen: LogPosition) {
        if self.0.lookups.target().has_own_connections() {
            return self.0.listener.wait_for_change(seen).await;
        }
        while self.changes(None, 0).await.is_ok_and(|changes| changes.head == seen) {
            sleep(POLL_INTERVAL).await;
        }
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.get(TokenId::NIL).await.map(drop)
    }

    async fn close(&self) {
        Self::close(self);
    }
}

/// Returns names and values of fields as arguments.
fn flat(fields: &Fields) -> Vec<&[u8]> {
    fields.iter().flat_map(|(name, value)| [name.as_bytes(), value]).collect()
}

impl Shared {
    /// Runs a script that writes no log entry and replies with a count.
    async fn count(&self, call: &Call, deadline: Instant) -> Result<u64, StoreError> {
        let reply = self.changes.run(call, deadline).await.map_err(Failure::of_change)?;
        reply::number(reply::parts(reply)?.first().ok_or_else(unexpected_reply)?)
    }

    /// Looks for tokens to revoke in steps, until one step has revoked some.
    ///
    /// The next call continues at that position. So all calls together read each token about
    /// twice, and not once per call.
    async fn revoke_everyone(
        &self,
        issued_before: Option<Timestamp>,
        at: Timestamp,
        limit: u32,
        event: &Event,
    ) -> Result<BulkResult, StoreError> {
        const START: &[u8] = b"-";
        if limit == 0 {
            return Ok(BulkResult::default());
        }
        let deadline = within(SCAN_TIMEOUT);
        let mut cursor = match self.revoke_cursor().take() {
            Some((before, cursor)) if before == issued_before => cursor,
            _ => START.to_vec(),
        };
        // Only a pass from the start shows that no token is left.
        let mut is_whole_pass = cursor == START;
        while Instant::now() < deadline {
            let change = self
                .prepare(&scripts::REVOKE_EVERYONE, &ChangeTarget::All, event)?
                .arg(encoding::optional_time(issued_before))
                .arg(encoding::time(at))
                .arg(limit)
                .arg(cursor)
                .arg(REVOKE_STEP);
            let result = self.change(change).await?;
            let next = result.rest.first().map(reply::bytes).transpose()?.unwrap_or_default();
            if result.count > 0 {
                *self.revoke_cursor() = (!next.is_empty()).then(|| (issued_before, next.to_vec()));
                return Ok(result.bulk());
            }
            if next.is_empty() && is_whole_pass {
                return Ok(BulkResult::default());
            }
            is_whole_pass |= next.is_empty();
            cursor = if next.is_empty() { START.to_vec() } else { next.to_vec() };
        }
        Err(StoreError::unavailable("looking for tokens to revoke took too long: try again"))
    }
}
