//! What each verb of the trait is in SQL.

use std::time::Duration;

use hallpass_core::store::{
    AuditPage, AuditQuery, BulkResult, Change, ChangeBatch, ChangeSeq, Deleted, ListPage,
    ListQuery, LogPosition, Secrets, Snapshot, StatusCounts, StoreError, StoredToken, TokenStore,
    TokenUse,
};
use hallpass_core::{Digest, Event, Owner, Revision, TokenId, TokenRecord};
use jiff::Timestamp;
use sqlx::postgres::PgRow;

use crate::connections::{Question, Value, ask_apart};
use crate::guards::Guard;
use crate::literal::{Literal, Script};
use crate::row::{self, Line};
use crate::store::PostgresStore;
use crate::trouble::{Trouble, refused, trouble};
use crate::write::{Turn, Work};
use crate::{list, sql};

/// How many tokens one call prunes: a few milliseconds of the server's work, so that look-ups do
/// not wait behind it.
const PRUNE_BATCH: u32 = 128;

/// How long a write of uses, or a prune, may take.
const HOUSEKEEPING: Duration = Duration::from_millis(1900);

impl TokenStore for PostgresStore {
    async fn insert(
        &self,
        token: &StoredToken,
        limit: Option<u32>,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let StoredToken { record, secrets } = token;
        let mut values = vec![Literal::optional(limit.map(i64::from), Literal::integer)];
        values.extend(row::record_literals(record));
        values.extend(row::secrets_literals(secrets));
        let work = Work::new(sql::INSERT, 1, event, values)?.after_others_of(&record.owner);
        let turn = Turn::wait(&self.connections).await?;
        if let Some(limit) = limit
            && turn.waited
        {
            self.refuse_early(record, limit).await?;
        }
        match self.change_in(turn, work).await?.as_slice() {
            [Line { seq: Some(seq), .. }] => Ok(*seq),
            [Line { seq: None, tokens, .. }] => Err(StoreError::limit_reached(*tokens)),
            _ => Err(StoreError::duplicate()),
        }
    }

    async fn get(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        let rows = self.look_up(sql::FIND, vec![Value::Text(id.to_string())]).await?;
        let found = row::only(&rows)?;
        if row::value(found, "standby")? && self.guards.has(Guard::Primary) {
            return Err(StoreError::unavailable(Standby));
        }
        let as_of = row::seq(row::value(found, "seq")?)?;
        #[cfg(test)]
        let as_of = match self.guards.has(Guard::Snapshot) {
            true => as_of,
            false => self.changes(None, 0).await?.head.seq,
        };
        Ok(Snapshot { value: row::stored(found)?, as_of })
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        let statement = Question::Script(list::statement(query));
        let rows = ask_apart(&self.connections.main, statement, self.lookup_deadline).await;
        let rows = rows.map_err(refused)?;
        let first = row::only(&rows)?;
        let counts = StatusCounts {
            active: row::count(first, "active")?,
            expired: row::count(first, "expired")?,
            revoked: row::count(first, "revoked")?,
        };
        let as_of = row::seq(row::value(first, "as_of")?)?;
        let records = rows.iter().filter_map(|row| row::listed(row).transpose());
        let mut records = records.collect::<Result<Vec<_>, _>>()?;
        // They come in order, but nothing in SQL says that they must.
        records.sort_by(|a, b| query.sort.compare(&query.sort.key_of(a), &query.sort.key_of(b)));
        let limit = query.limit as usize;
        let more = records.len() > limit;
        records.truncate(limit);
        Ok(ListPage { records, counts, more, as_of })
    }

    async fn update(&self, change: &Change, event: &Event) -> Result<ChangeSeq, StoreError> {
        let mut values = vec![Literal::integer(row::revision(change.expected()))];
        values.extend(row::record_literals(&change.record));
        let statement = match &change.secrets {
            None => sql::CHANGE,
            Some(secrets) => {
                values.extend(row::secrets_literals(secrets));
                sql::CHANGE_ALL
            }
        };
        // It may bring a revoked token back: then whoever revokes all comes before or after it.
        let work = Work::new(statement, 1, event, values)?.after_others_of(&change.record.owner);
        self.change_one(change.record.id, work).await
    }

    async fn replace_digest(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let mut values = vec![
            Literal::id(id),
            Literal::text(expected.algorithm()),
            Literal::bytes(expected.bytes()),
        ];
        values.extend(row::secrets_literals(secrets));
        self.change_one(id, Work::new(sql::REPLACE_DIGEST, 1, event, values)?).await
    }

    async fn delete(
        &self,
        id: TokenId,
        expected: Option<Revision>,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let expected = Literal::optional(expected.map(row::revision), Literal::integer);
        self.change_one(id, Work::new(sql::DELETE, 1, event, [Literal::id(id), expected])?).await
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
        let owner = Literal::optional(owner, |owner| Literal::text(owner.as_str()));
        let values = [Literal::ids(ids.iter().copied()), owner];
        // Each entry names the owner of its own token.
        let mut event = event.clone();
        event.owner = None;
        let lines =
            self.change_with(Work::new(sql::DELETE_MANY, ids.len(), &event, values)?).await?;
        let seq = lines.iter().filter_map(|line| line.seq).max();
        Ok(Deleted { tokens: lines.into_iter().filter_map(|line| line.token).collect(), seq })
    }

    async fn delete_owner(&self, owner: &Owner, event: &Event) -> Result<BulkResult, StoreError> {
        self.change_all_of(owner, sql::DELETE_OWNER, event, []).await
    }

    async fn revoke_owner(
        &self,
        owner: &Owner,
        issued_before: Option<Timestamp>,
        at: Timestamp,
        event: &Event,
    ) -> Result<BulkResult, StoreError> {
        let values = [Literal::time(at), Literal::optional_time(issued_before)];
        self.change_all_of(owner, sql::REVOKE_OWNER, event, values).await
    }

    async fn revoke_everyone(
        &self,
        issued_before: Option<Timestamp>,
        at: Timestamp,
        limit: u32,
        event: &Event,
    ) -> Result<BulkResult, StoreError> {
        let values = [
            Literal::integer(limit.into()),
            Literal::time(at),
            Literal::optional_time(issued_before),
        ];
        self.change_many(Work::new(sql::REVOKE_EVERYONE, 1, event, values)?).await
    }

    async fn log_owner_change(
        &self,
        owner: &Owner,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let bulk = self.change_all_of(owner, sql::LOG_OWNER_CHANGE, event, []).await?;
        bulk.seq.ok_or_else(|| StoreError::corrupt("the clock is gone"))
    }

    async fn record_uses(&self, uses: &[TokenUse]) -> Result<u64, StoreError> {
        if uses.is_empty() {
            return Ok(0);
        }
        let values = [
            Literal::ids(uses.iter().map(|usage| usage.id)),
            Literal::integers(uses.iter().map(|usage| row::revision(usage.revision))),
            Literal::times(uses.iter().map(|usage| usage.at)),
        ];
        let script = |statement| Script::new(self.guards.sql(statement), &values);
        let touched = match self.keep_house(script(sql::RECORD_USES)).await {
            // Somebody keeps one of them locked: the others shall not wait for it.
            Err(error) if matches!(trouble(&error), Trouble::Locked | Trouble::Collision) => {
                self.keep_house(script(sql::RECORD_USES_FREE)).await
            }
            touched => touched,
        };
        row::counted(&touched.map_err(refused)?, "moved")
    }

    async fn prune(
        &self,
        ended_before: Timestamp,
        limit: u32,
        event: &Event,
    ) -> Result<u64, StoreError> {
        let limit = i64::from(limit.min(PRUNE_BATCH));
        let values = [Literal::integer(limit), Literal::time(ended_before)];
        let pruned = self.change_many(Work::new(sql::PRUNE, 1, event, values)?).await?;
        Ok(pruned.count)
    }

    async fn prune_log(&self, written_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let values = [Literal::time(written_before), Literal::integer(limit.into())];
        let pruned = self.keep_house(Script::new(sql::PRUNE_LOG, &values)).await;
        row::counted(&pruned.map_err(refused)?, "pruned")
    }

    async fn changes(
        &self,
        from: Option<LogPosition>,
        limit: u32,
    ) -> Result<ChangeBatch, StoreError> {
        // A number beyond PostgreSQL's is beyond every line.
        let first = from.map_or(i64::MAX, |from| i64::try_from(from.seq.get()).unwrap_or(i64::MAX));
        let limit = if from.is_some() { limit } else { 0 };
        let values = vec![Value::Integer(first), Value::Integer(i64::from(limit))];
        let heard = self.nudges.heard();
        let question = self.connections.question(sql::CHANGES, values);
        let rows = ask_apart(&self.connections.sync, question, self.lookup_deadline).await;
        let rows = rows.map_err(refused)?;
        let first = row::only(&rows)?;
        if row::value(first, "standby")? && self.guards.has(Guard::Primary) {
            return Err(StoreError::unavailable(Standby));
        }
        let head = row::position(row::value(first, "head")?, row::value(first, "head_nonce")?)?;
        self.nudges.begin_history(heard, head.seq);
        let entries = rows.iter().filter_map(|row| row::logged(row).transpose());
        let entries = entries.collect::<Result<_, _>>()?;
        Ok(ChangeBatch { entries, head, time: Some(row::instant(first, "time")?) })
    }

    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        let statement = Question::Script(list::audit(query));
        let rows = ask_apart(&self.connections.main, statement, self.lookup_deadline).await;
        let entries = rows.map_err(refused)?.iter().map(row::audit_entry).collect::<Result<_, _>>();
        let mut entries: Vec<_> = entries?;
        let limit = query.limit as usize;
        let more = entries.len() > limit;
        entries.truncate(limit);
        Ok(AuditPage { entries, more })
    }

    async fn wait_for_change(&self, seen: LogPosition) {
        self.nudges.wait(seen).await;
    }

    async fn close(&self) {
        Self::close(self).await;
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.look_up(sql::PING, Vec::new()).await.map(drop)
    }
}

/// What is connected to may not know the latest changes, so neither a check nor a cache can go by
/// it.
#[derive(Debug, thiserror::Error)]
#[error("the server is a standby: tokens are checked on the primary")]
struct Standby;

impl PostgresStore {
    async fn look_up(
        &self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Vec<PgRow>, StoreError> {
        let question = self.connections.question(sql, values);
        let found = ask_apart(&self.connections.main, question, self.lookup_deadline).await;
        found.map_err(refused)
    }

    /// Refuses what cannot be inserted as things are by now, without a transaction: of many who try
    /// at once, those who come too late are refused quickly.
    async fn refuse_early(&self, record: &TokenRecord, limit: u32) -> Result<(), StoreError> {
        let owner = record.owner.as_str().to_owned();
        let values = vec![Value::Text(record.id.to_string()), Value::Text(owner)];
        let rows = self.look_up(sql::TAKEN, values).await?;
        let row = row::only(&rows)?;
        if row::value(row, "taken")? {
            return Err(StoreError::duplicate());
        }
        match row::count(row, "in_use")? {
            in_use if in_use >= u64::from(limit) => Err(StoreError::limit_reached(in_use)),
            _ => Ok(()),
        }
    }

    /// Changes one token if it is still as expected.
    async fn change_one(&self, id: TokenId, work: Work) -> Result<ChangeSeq, StoreError> {
        match self.change_with(work).await?.as_slice() {
            [Line { seq: Some(seq), .. }] => Ok(*seq),
            _ => {
                let there = Question::Script(Script::new(sql::EXISTS, &[Literal::id(id)]));
                let there = ask_apart(&self.connections.main, there, self.lookup_deadline).await;
                let is_there: bool = row::value(row::only(&there.map_err(refused)?)?, "found")?;
                Err(if is_there { StoreError::conflict() } else { StoreError::not_found() })
            }
        }
    }

    /// Changes all of an owner's tokens, after all that others do with them.
    async fn change_all_of(
        &self,
        owner: &Owner,
        statement: &'static str,
        event: &Event,
        more: impl IntoIterator<Item = Literal>,
    ) -> Result<BulkResult, StoreError> {
        // The owner whose tokens are changed is the one that the entry is about.
        let mut event = event.clone();
        event.owner = Some(owner.clone());
        let values = [Literal::text(owner.as_str())].into_iter().chain(more);
        self.change_many(Work::new(statement, 1, &event, values)?.after_others_of(owner)).await
    }

    /// Makes a change that is one entry of the log, or none.
    async fn change_many(&self, work: Work) -> Result<BulkResult, StoreError> {
        Ok(match self.change_with(work).await?.as_slice() {
            [line] => BulkResult { count: line.tokens, seq: line.seq },
            _ => BulkResult::default(),
        })
    }

    async fn keep_house(&self, script: Script) -> Result<Vec<PgRow>, sqlx::Error> {
        ask_apart(&self.connections.main, Question::Script(script), HOUSEKEEPING).await
    }
}
