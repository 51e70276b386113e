//! The implementation of the store's methods.

use std::time::Duration;

use hallpass_core::store::{
    AuditPage, AuditQuery, BulkResult, Change as TokenChange, ChangeBatch, ChangeKind, ChangeSeq,
    ChangeTarget, Deleted, ListPage, ListQuery, LogPosition, Secrets, Snapshot, StoreError,
    StoredToken, TokenStore, TokenUse,
};
use hallpass_core::{Digest, Event, Owner, Revision, TokenId};
use hallpass_sql::{ReadRow as _, Value, record_values, revision, secrets_values};
use jiff::Timestamp;
use sqlx::postgres::PgRow;

use crate::change::{Change, Line};
use crate::connections::{BEGIN_LIST, BEGIN_MAINTENANCE};
use crate::dialect::{PostgresDialect, Statement, Timestamptz, Uuid, built};
use crate::error_class::{ErrorClass, error_class};
use crate::sql;
use crate::store::PostgresStore;

/// The number of tokens that one call prunes. This takes the server a few milliseconds, so that
/// lookups do not wait behind it.
const PRUNE_BATCH: u32 = 128;

/// The maximum time for recording uses or pruning the log.
const MAINTENANCE_TIMEOUT: Duration = Duration::from_millis(1900);

impl TokenStore for PostgresStore {
    async fn insert(
        &self,
        token: &StoredToken,
        limit: Option<u32>,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        inserted(&self.change(insertion(token, limit, event)).await?)
    }

    async fn get(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        let rows = self.lookup(|| self.statement(&sql::GET).bind(Uuid(id))).await?;
        let row = rows.first().ok_or_else(|| StoreError::corrupt("a lookup without a row"))?;
        let value = hallpass_sql::stored_token(row)?;
        Ok(Snapshot { value, as_of: hallpass_sql::seq(row, "as_of")? })
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        hallpass_sql::list_page(
            &self.page(&hallpass_sql::list::<PostgresDialect>(query)).await?,
            query,
        )
    }

    async fn update(&self, change: &TokenChange, event: &Event) -> Result<ChangeSeq, StoreError> {
        let record = &change.record;
        let mut values: Vec<_> = record_values(record).into();
        let statement = match &change.secrets {
            None if change.kind == ChangeKind::Revoked => &sql::REVOKE,
            None => &sql::UPDATE,
            Some(secrets) => {
                values.extend(secrets_values(secrets));
                &sql::UPDATE_WITH_SECRETS
            }
        };
        let update = Change::new(statement, &ChangeTarget::Token(record.id), event, values);
        self.change_token(update).await
    }

    async fn replace_digest(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let values = [
            Value::Id(Some(id)),
            Value::Text(Some(expected.algorithm().to_owned())),
            Value::Bytes(Some(expected.bytes().to_vec())),
        ];
        let values = values.into_iter().chain(secrets_values(secrets));
        let replace = Change::new(&sql::REPLACE_DIGEST, &ChangeTarget::Token(id), event, values);
        self.change_token(replace).await
    }

    async fn delete(
        &self,
        id: TokenId,
        expected: Option<Revision>,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let values = [Value::Id(Some(id)), Value::Integer(expected.map(revision))];
        let delete = Change::new(&sql::DELETE, &ChangeTarget::Token(id), event, values);
        self.change_token(delete).await
    }

    async fn delete_many(
        &self,
        owner: Option<&Owner>,
        ids: &[TokenId],
        event: &Event,
    ) -> Result<Deleted, StoreError> {
        let Some(first) = ids.first() else { return Ok(Deleted::default()) };
        let list: Vec<_> = ids.iter().map(|id| id.as_uuid().to_string()).collect();
        let values = [Value::Text(Some(list.join(" "))), text(owner)];
        // The statement fills in the id and the owner of each token.
        let target = ChangeTarget::Token(*first);
        let mut event = event.clone();
        event.owner = None;
        let delete = Change::new(&sql::DELETE_MANY, &target, &event, values).entries(ids.len());
        let lines = self.change(delete).await?;
        let seq = lines.iter().filter_map(|line| line.seq).max();
        Ok(Deleted { tokens: lines.into_iter().filter_map(|line| line.token).collect(), seq })
    }

    async fn delete_owner(&self, owner: &Owner, event: &Event) -> Result<BulkResult, StoreError> {
        self.change_many(deletion_of_owner(owner, event)).await
    }

    async fn revoke_owner(
        &self,
        owner: &Owner,
        issued_before: Option<Timestamp>,
        at: Timestamp,
        event: &Event,
    ) -> Result<BulkResult, StoreError> {
        let values = [text(Some(owner)), Value::Time(issued_before), Value::Time(Some(at))];
        let target = ChangeTarget::Owner(owner.clone());
        let revoke = Change::new(&sql::REVOKE_OWNER, &target, event, values);
        self.change_many(revoke).await
    }

    async fn revoke_everyone(
        &self,
        issued_before: Option<Timestamp>,
        at: Timestamp,
        limit: u32,
        event: &Event,
    ) -> Result<BulkResult, StoreError> {
        let limit = Value::Integer(Some(limit.into()));
        let values = [limit, Value::Time(issued_before), Value::Time(Some(at))];
        let revoke = Change::new(&sql::REVOKE_EVERYONE, &ChangeTarget::All, event, values);
        self.change_many(revoke).await
    }

    async fn log_owner_change(
        &self,
        owner: &Owner,
        event: &Event,
    ) -> Result<ChangeSeq, StoreError> {
        let target = ChangeTarget::Owner(owner.clone());
        let log = Change::new(&sql::LOG_OWNER_CHANGE, &target, event, []);
        let result = self.change_many(log).await?;
        result.seq.ok_or_else(|| StoreError::corrupt("the clock's row is missing"))
    }

    async fn record_uses(&self, uses: &[TokenUse]) -> Result<u64, StoreError> {
        if uses.is_empty() {
            return Ok(0);
        }
        let ids: Vec<_> = uses.iter().map(|usage| Uuid(usage.id)).collect();
        let revisions: Vec<i64> = uses.iter().map(|usage| revision(usage.revision)).collect();
        let times: Vec<_> = uses.iter().map(|usage| Timestamptz(usage.at)).collect();
        let record = async |sql: &'static str| {
            self.run_maintenance(|| self.statement(sql).bind(&ids).bind(&revisions).bind(&times))
                .await
        };
        match record(sql::RECORD_USES).await {
            // Another transaction has locked one of the tokens. The others must not wait for it.
            Err(error)
                if matches!(error_class(&error), ErrorClass::Locked | ErrorClass::Collision) =>
            {
                record(sql::RECORD_USES_UNLOCKED).await
            }
            recorded => recorded,
        }
        .map_err(|error| self.connections.store_error(error))
    }

    async fn prune(
        &self,
        ended_before: Timestamp,
        limit: u32,
        event: &Event,
    ) -> Result<u64, StoreError> {
        let limit = Value::Integer(Some(limit.min(PRUNE_BATCH).into()));
        let values = [limit, Value::Time(Some(ended_before))];
        let prune = Change::new(&sql::PRUNE, &ChangeTarget::None, event, values);
        Ok(self.change_many(prune).await?.count)
    }

    async fn prune_log(&self, written_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let prune = || {
            self.statement(sql::PRUNE_LOG).bind(Timestamptz(written_before)).bind(i64::from(limit))
        };
        self.run_maintenance(prune).await.map_err(|error| self.connections.store_error(error))
    }

    async fn changes(
        &self,
        from: Option<LogPosition>,
        limit: u32,
    ) -> Result<ChangeBatch, StoreError> {
        // A number that PostgreSQL cannot hold is beyond every entry.
        let first = from.map_or(i64::MAX, |from| i64::try_from(from.seq.get()).unwrap_or(i64::MAX));
        let limit = if from.is_some() { i64::from(limit) } else { 0 };
        let announced = self.listener.announced();
        let changes = || self.statement(sql::CHANGES).bind(first).bind(limit);
        let connections = &self.connections;
        let rows = connections.read(&connections.sync, changes, self.lookup_deadline).await?;
        let mut batch = hallpass_sql::change_batch(&rows)?;
        self.listener.follow_history(announced, batch.head.seq);
        let time = rows.first().map(|row| row.integer("time")).transpose();
        batch.time = time
            .map_err(StoreError::corrupt)?
            .flatten()
            .map(Timestamp::from_millisecond)
            .transpose()
            .map_err(StoreError::corrupt)?;
        Ok(batch)
    }

    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        let rows = self.page(&hallpass_sql::audit::<PostgresDialect>(query)).await?;
        hallpass_sql::audit_page(&rows, query.limit)
    }

    async fn wait_for_change(&self, seen: LogPosition) {
        self.listener.wait(seen).await;
    }

    async fn ping(&self) -> Result<(), StoreError> {
        match &self.lookup(|| self.statement(sql::PING)).await?[..] {
            [] => Err(StoreError::corrupt("the clock's row is missing")),
            _ => Ok(()),
        }
    }

    async fn close(&self) {
        Self::close(self).await;
    }
}

impl PostgresStore {
    async fn lookup<'q>(
        &self,
        statement: impl Fn() -> Statement<'q>,
    ) -> Result<Vec<PgRow>, StoreError> {
        let connections = &self.connections;
        connections.read(&connections.main, statement, self.lookup_deadline).await
    }

    async fn page(&self, statement: &hallpass_sql::Statement) -> Result<Vec<PgRow>, StoreError> {
        let statement = || built(statement, &self.connections.database.schema);
        let reading = self.connections.transaction(BEGIN_LIST, statement, self.lookup_deadline);
        reading.await.map_err(|error| match error_class(&error) {
            // A list changes nothing. So this is a standby, or has no disk space for sorting.
            ErrorClass::ReadOnly => StoreError::unavailable(self.connections.at_server(error)),
            _ => self.connections.store_error(error),
        })
    }

    /// Changes one token if it is still in the expected state.
    async fn change_token(&self, change: Change) -> Result<ChangeSeq, StoreError> {
        match self.change(change).await?.as_slice() {
            [Line { seq: Some(seq), .. }] => Ok(*seq),
            [] => Err(StoreError::not_found()),
            _ => Err(StoreError::conflict()),
        }
    }

    /// Makes a change that writes one log entry or none.
    async fn change_many(&self, change: Change) -> Result<BulkResult, StoreError> {
        Ok(bulk_result(&self.change(change).await?))
    }

    /// Runs a maintenance statement that can be repeated. Returns the total that it selects.
    async fn run_maintenance<'q>(
        &self,
        statement: impl Fn() -> Statement<'q>,
    ) -> Result<u64, sqlx::Error> {
        let rows =
            self.connections.transaction(BEGIN_MAINTENANCE, statement, MAINTENANCE_TIMEOUT).await?;
        let total = rows.first().map(|row| row.integer("total")).transpose()?.flatten();
        Ok(total.and_then(|total| u64::try_from(total).ok()).unwrap_or(0))
    }
}

/// The change that inserts a token.
pub(crate) fn insertion(token: &StoredToken, limit: Option<u32>, event: &Event) -> Change {
    let StoredToken { record, secrets } = token;
    let last = [Value::Time(record.last_used_at), Value::Integer(limit.map(i64::from))];
    let values = record_values(record).into_iter().chain(secrets_values(secrets)).chain(last);
    Change::new(&sql::INSERT, &ChangeTarget::Token(record.id), event, values)
}

/// Reads the result of an [`insertion`].
pub(crate) fn inserted(lines: &[Line]) -> Result<ChangeSeq, StoreError> {
    match lines {
        [Line { seq: Some(seq), .. }] => Ok(*seq),
        [Line { seq: None, count, .. }] => Err(StoreError::limit_reached(*count)),
        _ => Err(StoreError::duplicate()),
    }
}

/// The change that deletes all tokens of an owner.
pub(crate) fn deletion_of_owner(owner: &Owner, event: &Event) -> Change {
    let target = ChangeTarget::Owner(owner.clone());
    Change::new(&sql::DELETE_OWNER, &target, event, [text(Some(owner))])
}

/// Reads the result of a change that writes one log entry or none.
pub(crate) fn bulk_result(lines: &[Line]) -> BulkResult {
    match lines {
        [line] => BulkResult { count: line.count, seq: line.seq },
        _ => BulkResult::default(),
    }
}

fn text(owner: Option<&Owner>) -> Value {
    Value::Text(owner.map(|owner| owner.as_str().to_owned()))
}
