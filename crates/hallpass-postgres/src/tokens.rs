//! What each verb of the trait is in SQL.

use std::time::Duration;

use hallpass_core::store::{
    BulkResult, Change, ChangeBatch, ChangeSeq, Deleted, ListPage, ListQuery, LogPosition, Secrets,
    Snapshot, StoreError, StoredToken, TokenStore, TokenUse,
};
use hallpass_core::{Digest, Owner, Revision, TokenId, TokenRecord};
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

/// How long a line of the change log is kept at least, in hours.
const RETENTION: i64 = 24;

/// How many tokens are pruned at once: a millisecond or two of the server's work, so that look-ups are not behind it in
/// line.
const PRUNE_BATCH: u32 = 64;

/// How many older ones a prune lets go: some tenths of a second's work.
const TRIM_BATCH: i64 = 100_000;

/// How long a write of uses, or a prune, may take.
const HOUSEKEEPING: Duration = Duration::from_millis(1900);

impl TokenStore for PostgresStore {
    async fn insert(
        &self,
        token: &StoredToken,
        limit: Option<u32>,
    ) -> Result<ChangeSeq, StoreError> {
        let StoredToken { record, secrets } = token;
        let mut values = vec![Literal::optional(limit.map(i64::from), Literal::integer)];
        values.extend(row::record_literals(record));
        values.extend(row::secrets_literals(secrets));
        let work = Work::new(sql::INSERT, 1, values)?.after_others_of(&record.owner);
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

    async fn find(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
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
        let total = row::count(row::only(&rows)?, "total")?;
        let records = rows.iter().filter_map(|row| row::listed(row).transpose());
        let mut records = records.collect::<Result<Vec<_>, _>>()?;
        // They come in order, but nothing in SQL says that they must.
        records.sort_by(|a, b| query.sort.compare(&query.sort.key_of(a), &query.sort.key_of(b)));
        let limit = query.limit as usize;
        let more = records.len() > limit;
        records.truncate(limit);
        Ok(ListPage { records, total, more })
    }

    async fn change(&self, change: &Change) -> Result<ChangeSeq, StoreError> {
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
        let work = Work::new(statement, 1, values)?.after_others_of(&change.record.owner);
        self.change_one(change.record.id, work).await
    }

    async fn rekey(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
    ) -> Result<ChangeSeq, StoreError> {
        let mut values = vec![
            Literal::id(id),
            Literal::text(expected.algorithm()),
            Literal::bytes(expected.bytes()),
        ];
        values.extend(row::secrets_literals(secrets));
        self.change_one(id, Work::new(sql::REKEY, 1, values)?).await
    }

    async fn delete(
        &self,
        id: TokenId,
        expected: Option<Revision>,
    ) -> Result<ChangeSeq, StoreError> {
        let expected = Literal::optional(expected.map(row::revision), Literal::integer);
        self.change_one(id, Work::new(sql::DELETE, 1, [Literal::id(id), expected])?).await
    }

    async fn delete_many(
        &self,
        owner: Option<&Owner>,
        ids: &[TokenId],
    ) -> Result<Deleted, StoreError> {
        if ids.is_empty() {
            return Ok(Deleted::default());
        }
        let owner = Literal::optional(owner, |owner| Literal::text(owner.as_str()));
        let values = [Literal::ids(ids.iter().copied()), owner];
        let lines = self.change_with(Work::new(sql::DELETE_MANY, ids.len(), values)?).await?;
        let seq = lines.iter().filter_map(|line| line.seq).max();
        Ok(Deleted { tokens: lines.into_iter().filter_map(|line| line.token).collect(), seq })
    }

    async fn delete_owner(&self, owner: &Owner) -> Result<BulkResult, StoreError> {
        self.change_all_of(owner, sql::DELETE_OWNER, []).await
    }

    async fn revoke_owner(&self, owner: &Owner, at: Timestamp) -> Result<BulkResult, StoreError> {
        self.change_all_of(owner, sql::REVOKE_OWNER, [Literal::time(at)]).await
    }

    async fn announce(&self, owner: &Owner) -> Result<ChangeSeq, StoreError> {
        let bulk = self.change_all_of(owner, sql::ANNOUNCE, []).await?;
        bulk.seq.ok_or_else(|| StoreError::corrupt("the clock is gone"))
    }

    async fn touch(&self, uses: &[TokenUse]) -> Result<u64, StoreError> {
        if uses.is_empty() {
            return Ok(0);
        }
        let values = [
            Literal::ids(uses.iter().map(|usage| usage.id)),
            Literal::integers(uses.iter().map(|usage| row::revision(usage.revision))),
            Literal::times(uses.iter().map(|usage| usage.at)),
        ];
        let script = |touch| Script::new(self.guards.sql(touch), &values);
        let touched = match self.keep_house(script(sql::TOUCH)).await {
            // Somebody keeps one of them locked: the others shall not wait for it.
            Err(error) if matches!(trouble(&error), Trouble::Locked | Trouble::Collision) => {
                self.keep_house(script(sql::TOUCH_FREE)).await
            }
            touched => touched,
        };
        row::counted(&touched.map_err(refused)?, "moved")
    }

    async fn prune(&self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut pruned = 0;
        loop {
            let some = PRUNE_BATCH.min(limit - pruned);
            let values = [Literal::time(ended_before), Literal::integer(some.into())];
            let mut script = Script::new(sql::PRUNE, &values);
            if pruned == 0 {
                let values = [Literal::integer(RETENTION), Literal::integer(TRIM_BATCH)];
                script.push(sql::TRIM, &values);
            }
            let gone = row::counted(&self.keep_house(script).await.map_err(refused)?, "pruned")?;
            pruned += u32::try_from(gone).map_err(StoreError::corrupt)?;
            if gone < some.into() || pruned == limit {
                return Ok(pruned.into());
            }
        }
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
        let lines = rows.iter().filter_map(|line| row::logged(line).transpose());
        let lines = lines.collect::<Result<_, _>>()?;
        Ok(ChangeBatch { lines, head, time: Some(row::instant(first, "time")?) })
    }

    async fn nudged(&self, seen: LogPosition) {
        self.nudges.wait(seen).await;
    }

    async fn close(&self) {
        Self::close(self).await;
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.look_up(sql::PING, Vec::new()).await.map(drop)
    }
}

/// What is connected to may not know the latest changes, so neither a check nor a cache can go by it.
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

    /// Refuses what cannot be inserted as things are by now, without a transaction: of many who try at once, those who
    /// come too late are refused quickly.
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

    /// ChangeBatch one token if it is still as expected.
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

    /// ChangeBatch all of an owner's tokens, after all that others do with them.
    async fn change_all_of(
        &self,
        owner: &Owner,
        statement: &'static str,
        more: impl IntoIterator<Item = Literal>,
    ) -> Result<BulkResult, StoreError> {
        let values = [Literal::text(owner.as_str())].into_iter().chain(more);
        let work = Work::new(statement, 1, values)?.after_others_of(owner);
        Ok(match self.change_with(work).await?.as_slice() {
            [line] => BulkResult { count: line.tokens, seq: line.seq },
            _ => BulkResult::default(),
        })
    }

    async fn keep_house(&self, script: Script) -> Result<Vec<PgRow>, sqlx::Error> {
        ask_apart(&self.connections.main, Question::Script(script), HOUSEKEEPING).await
    }
}
