//! How a token is written in a statement, and read from a row. What makes no sense is an error,
//! never a guess.

use std::error::Error as StdError;

use hallpass_core::store::{
    AuditEntry, ChangeEntry, ChangeSeq, ChangeTarget, LogPosition, PreviousSecret, Secrets,
    StoreError, StoredToken,
};
use hallpass_core::{
    Digest, Event, Metadata, Owner, Revision, ScopeSet, TokenId, TokenRecord, fold_beyond_ascii,
};
use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{Decode, Postgres, Row as _, Type};
use uuid::Uuid;

use crate::literal::Literal;
#[cfg(doc)]
use crate::sql;

type Undecodable = Box<dyn StdError + Send + Sync>;

/// A record as [`INSERT`](sql::INSERT) and [`CHANGE`](sql::CHANGE) take it.
pub(crate) fn record_literals(record: &TokenRecord) -> [Literal; 14] {
    [
        Literal::id(record.id),
        Literal::text(record.owner.as_str()),
        Literal::text(&record.name),
        Literal::optional(fold_beyond_ascii(&record.name), |key| Literal::text(&key)),
        Literal::text(&record.description),
        Literal::optional(fold_beyond_ascii(&record.description), |key| Literal::text(&key)),
        Literal::text(&record.scopes.to_string()),
        Literal::time(record.created_at),
        Literal::optional(record.expires_at, Literal::time),
        Literal::optional(record.last_used_at, Literal::time),
        Literal::optional(record.revoked_at, Literal::time),
        Literal::optional(record.regenerated_at, Literal::time),
        Literal::integer(revision(record.revision)),
        Literal::text(&record.metadata.to_json()),
    ]
}

/// Secrets as [`INSERT`](sql::INSERT), [`CHANGE_ALL`](sql::CHANGE_ALL) and
/// [`REPLACE_DIGEST`](sql::REPLACE_DIGEST) take them.
pub(crate) fn secrets_literals(secrets: &Secrets) -> [Literal; 5] {
    let previous = secrets.previous.as_ref();
    [
        Literal::text(secrets.current.algorithm()),
        Literal::bytes(secrets.current.bytes()),
        Literal::optional(previous, |previous| Literal::text(previous.digest.algorithm())),
        Literal::optional(previous, |previous| Literal::bytes(previous.digest.bytes())),
        Literal::optional(previous, |previous| Literal::time(previous.until)),
    ]
}

/// Writes an event for the places from `$101` on.
pub(crate) fn event_literals(event: &Event) -> [Literal; 7] {
    let owner = |owner: Option<&Owner>| match owner {
        Some(owner) => Literal::text(owner.as_str()),
        None => Literal::text_null(),
    };
    [
        Literal::time(event.at),
        Literal::text(event.kind.as_str()),
        owner(event.actor.as_ref()),
        owner(event.owner.as_ref()),
        Literal::optional_id(event.token_id),
        Literal::integer(i64::try_from(event.count).unwrap_or(i64::MAX)),
        Literal::text(&event.details_json()),
    ]
}

/// A revision, as PostgreSQL's signed integers hold it. Nobody changes a token 2^63 times.
pub(crate) fn revision(revision: Revision) -> i64 {
    i64::try_from(revision.get()).unwrap_or(i64::MAX)
}

/// A column that is never NULL. The driver alone would read a NULL as an empty text here and there.
pub(crate) fn value<'r, T>(row: &'r PgRow, column: &str) -> Result<T, StoreError>
where
    T: Decode<'r, Postgres> + Type<Postgres>,
{
    let value: Option<T> = row.try_get(column).map_err(StoreError::corrupt)?;
    value.ok_or_else(|| StoreError::corrupt("a NULL where there is never one"))
}

/// The one row of an answer that always has one.
pub(crate) fn only(rows: &[PgRow]) -> Result<&PgRow, StoreError> {
    rows.first().ok_or_else(|| StoreError::corrupt("no row where there is always one"))
}

/// Whether a standby answered, as far as it was asked for that.
pub(crate) fn is_of_standby(rows: &[PgRow]) -> bool {
    rows.first().is_some_and(|row| row.try_get("standby").is_ok_and(|standby| standby))
}

/// A column that counts something.
pub(crate) fn count(row: &PgRow, column: &str) -> Result<u64, StoreError> {
    u64::try_from(value::<i64>(row, column)?).map_err(StoreError::corrupt)
}

pub(crate) fn seq(number: i64) -> Result<ChangeSeq, StoreError> {
    u64::try_from(number).map(ChangeSeq::new).map_err(StoreError::corrupt)
}

/// The token, its digests included; `None` if the row has none.
pub(crate) fn stored(row: &PgRow) -> Result<Option<StoredToken>, StoreError> {
    let id: Option<&str> = row.try_get("id").map_err(StoreError::corrupt)?;
    if id.is_none() {
        return Ok(None);
    }
    let secrets = secrets(row).map_err(StoreError::corrupt)?;
    Ok(Some(StoredToken { record: record(row)?, secrets }))
}

/// The record alone.
pub(crate) fn record(row: &PgRow) -> Result<TokenRecord, StoreError> {
    read_record(row).map_err(StoreError::corrupt)
}

fn read_record(row: &PgRow) -> Result<TokenRecord, Undecodable> {
    let owner = Owner::new(value::<&str>(row, "owner")?)?;
    let name: String = value(row, "name")?;
    let created_at = time(row, "created_at")?.ok_or("no time of creation")?;
    let mut record = TokenRecord::new(id(value(row, "id")?)?, owner, name, created_at);
    record.description = value(row, "description")?;
    let scopes: &str = value(row, "scopes")?;
    if !scopes.is_empty() {
        record.scopes = ScopeSet::parse(scopes.split(' '))?;
    }
    record.expires_at = time(row, "expires_at")?;
    record.last_used_at = time(row, "last_used_at")?;
    record.revoked_at = time(row, "revoked_at")?;
    record.regenerated_at = time(row, "regenerated_at")?;
    record.metadata = Metadata::from_json(value(row, "metadata")?)?;
    record.previous_secret_expires_at = time(row, "previous_until")?;
    record.revision = Revision::new(value::<i64>(row, "revision")?.try_into()?);
    Ok(record)
}

fn secrets(row: &PgRow) -> Result<Secrets, Undecodable> {
    let digest: Vec<u8> = value(row, "digest")?;
    let current = Digest::from_parts(value(row, "algorithm")?, &digest)?;
    let algorithm: Option<&str> = row.try_get("previous_algorithm")?;
    let digest: Option<Vec<u8>> = row.try_get("previous_digest")?;
    let previous = match (algorithm, digest, time(row, "previous_until")?) {
        (None, None, None) => None,
        (Some(algorithm), Some(digest), Some(until)) => {
            Some(PreviousSecret { digest: Digest::from_parts(algorithm, &digest)?, until })
        }
        _ => return Err("half of a previous secret".into()),
    };
    Ok(Secrets { current, previous })
}

fn id(text: &str) -> Result<TokenId, Undecodable> {
    Ok(TokenId::from_uuid(Uuid::try_parse(text)?))
}

fn time(row: &PgRow, column: &str) -> Result<Option<Timestamp>, Undecodable> {
    let millis = row.try_get::<Option<i64>, _>(column)?;
    // Whatever was before all that can be told apart.
    let millis = millis.map(|millis| millis.max(Timestamp::MIN.as_millisecond()));
    Ok(millis.map(Timestamp::from_millisecond).transpose()?)
}

/// A time that is always there.
pub(crate) fn instant(row: &PgRow, column: &str) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(value(row, column)?).map_err(StoreError::corrupt)
}

/// A number of the log and the nonce beside it.
pub(crate) fn position(number: i64, nonce: i64) -> Result<LogPosition, StoreError> {
    Ok(LogPosition { seq: seq(number)?, nonce: nonce.cast_unsigned() })
}

/// A line of the log, but for a row that has none.
pub(crate) fn logged(row: &PgRow) -> Result<Option<ChangeEntry>, StoreError> {
    read_logged(row).map_err(StoreError::corrupt)
}

fn read_logged(row: &PgRow) -> Result<Option<ChangeEntry>, Undecodable> {
    let Some(number) = row.try_get::<Option<i64>, _>("seq")? else {
        return Ok(None);
    };
    let position = position(number, value(row, "nonce")?)?;
    let target = match value(row, "target")? {
        "none" => ChangeTarget::None,
        "token" => ChangeTarget::Token(id(value(row, "token")?)?),
        "owner" => ChangeTarget::Owner(Owner::new(value::<&str>(row, "owner")?)?),
        "all" => ChangeTarget::All,
        _ => return Err("a log entry has an unknown target".into()),
    };
    Ok(Some(ChangeEntry { position, target }))
}

/// Reads an entry of the audit trail.
pub(crate) fn audit_entry(row: &PgRow) -> Result<AuditEntry, StoreError> {
    read_audit_entry(row).map_err(StoreError::corrupt)
}

fn read_audit_entry(row: &PgRow) -> Result<AuditEntry, Undecodable> {
    let owner = |column| -> Result<Option<Owner>, Undecodable> {
        let id: Option<&str> = row.try_get(column)?;
        Ok(id.map(Owner::new).transpose()?)
    };
    let kind = value::<&str>(row, "kind")?.parse()?;
    let mut event =
        Event::new(kind, instant(row, "at")?).with_details_json(value(row, "details")?)?;
    event.actor = owner("actor")?;
    event.owner = owner("owner")?;
    event.token_id = row.try_get::<Option<&str>, _>("token")?.map(id).transpose()?;
    event.count = count(row, "count")?;
    Ok(AuditEntry::new(seq(value(row, "seq")?)?, event))
}

/// What a change answers of itself: a line of the log, or, without a number, how many tokens there
/// are instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) seq: Option<ChangeSeq>,
    pub(crate) token: Option<(TokenId, Owner)>,
    pub(crate) tokens: u64,
}

/// Reads the rows of a change, whichever of its statements they are of.
pub(crate) fn lines(rows: &[PgRow]) -> Result<Vec<Line>, StoreError> {
    let are_lines = |row: &&PgRow| row.try_column("tokens").is_ok();
    rows.iter().filter(are_lines).map(line).collect::<Result<_, _>>().map_err(StoreError::corrupt)
}

/// Reads a line.
pub(crate) fn line(row: &PgRow) -> Result<Line, Undecodable> {
    let number: Option<i64> = row.try_get("seq")?;
    let token: Option<&str> = row.try_get("token")?;
    let owner: Option<&str> = row.try_get("owner")?;
    let tokens: Option<i64> = row.try_get("tokens")?;
    Ok(Line {
        seq: number.map(seq).transpose()?,
        token: match (token, owner) {
            (Some(token), Some(owner)) => Some((id(token)?, Owner::new(owner)?)),
            _ => None,
        },
        tokens: tokens.unwrap_or(0).try_into()?,
    })
}

/// What [`BEGIN`](sql::BEGIN) answers: the transaction's number, and how far the log was before.
pub(crate) fn begun(rows: &[PgRow]) -> Result<(Literal, i64), sqlx::Error> {
    let row = rows.iter().find(|row| row.try_column("transaction").is_ok());
    let row = row.ok_or(sqlx::Error::RowNotFound)?;
    Ok((Literal::text(row.try_get("transaction")?), row.try_get("head")?))
}

/// What [`OUTCOME`](sql::OUTCOME) answers.
pub(crate) fn status(rows: &[PgRow]) -> Option<String> {
    rows.last()?.try_get("outcome").ok()
}

/// The record of a list's row; `None` if it only has the total.
pub(crate) fn listed(row: &PgRow) -> Result<Option<TokenRecord>, StoreError> {
    let id: Option<&str> = row.try_get("id").map_err(StoreError::corrupt)?;
    id.map(|_| record(row)).transpose()
}

/// What the one statement of several that answers a row has counted.
pub(crate) fn counted(rows: &[PgRow], column: &str) -> Result<u64, StoreError> {
    count(only(rows)?, column)
}
