//! How a token is written in a row, and read back. What makes no sense is an error, never a guess.

use std::error::Error as StdError;

use hallpass_core::store::{
    ChangeEntry, ChangeSeq, ChangeTarget, LogPosition, PreviousSecret, Secrets, StoreError,
    StoredToken, TokenUse,
};
use hallpass_core::{Digest, Owner, Revision, ScopeSet, TokenId, TokenRecord, fold_beyond_ascii};
use jiff::Timestamp;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{ColumnIndex, Decode, Row as _, Sqlite, Type};
use uuid::Uuid;

#[cfg(doc)]
use crate::sql;

/// A statement with what has been bound to it.
pub(crate) type Statement<'q> = Query<'q, Sqlite, SqliteArguments>;

type Undecodable = Box<dyn StdError + Send + Sync>;

pub(crate) fn id_bytes(id: TokenId) -> Vec<u8> {
    id.as_uuid().as_bytes().to_vec()
}

pub(crate) fn id(bytes: &[u8]) -> Result<TokenId, StoreError> {
    Uuid::from_slice(bytes).map(TokenId::from_uuid).map_err(StoreError::corrupt)
}

pub(crate) fn seq(number: i64) -> Result<ChangeSeq, StoreError> {
    u64::try_from(number).map(ChangeSeq::new).map_err(StoreError::corrupt)
}

/// Binds a record as [`INSERT`](sql::INSERT) and [`REPLACE`](sql::REPLACE) take it: all but the last
/// use, the id at the end.
pub(crate) fn bind_record<'q>(query: Statement<'q>, record: &TokenRecord) -> Statement<'q> {
    query
        .bind(record.owner.as_str().to_owned())
        .bind(record.name.clone())
        .bind(fold_beyond_ascii(&record.name))
        .bind(record.description.clone())
        .bind(fold_beyond_ascii(&record.description))
        .bind(record.scopes.to_string())
        .bind(record.created_at.as_millisecond())
        .bind(millis(record.expires_at))
        .bind(millis(record.revoked_at))
        .bind(millis(record.regenerated_at))
        .bind(revision(record.revision))
        .bind(id_bytes(record.id))
}

/// Binds secrets as [`INSERT`](sql::INSERT) and [`REPLACE_SECRETS`](sql::REPLACE_SECRETS) take them.
pub(crate) fn bind_secrets<'q>(query: Statement<'q>, secrets: &Secrets) -> Statement<'q> {
    let previous = secrets.previous.as_ref();
    query
        .bind(secrets.current.algorithm().to_owned())
        .bind(secrets.current.bytes().to_vec())
        .bind(previous.map(|previous| previous.digest.algorithm().to_owned()))
        .bind(previous.map(|previous| previous.digest.bytes().to_vec()))
        .bind(previous.map(|previous| previous.until.as_millisecond()))
}

/// A revision, as SQLite's signed integers hold it. Nobody changes a token 2^63 times.
pub(crate) fn revision(revision: Revision) -> i64 {
    i64::try_from(revision.get()).unwrap_or(i64::MAX)
}

/// Uses as [`TOUCH`](sql::TOUCH) takes them: JSON, of nothing but hexadecimal digits and numbers.
pub(crate) fn uses(uses: &[TokenUse]) -> String {
    let list: Vec<_> = uses
        .iter()
        .map(|usage| {
            let (id, at) = (usage.id.as_uuid().simple(), usage.at.as_millisecond());
            format!(r#"["{id}",{},{at}]"#, revision(usage.revision))
        })
        .collect();
    format!("[{}]", list.join(","))
}

pub(crate) fn millis(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_millisecond)
}

/// A column that is never NULL. The driver alone would read a NULL as 0 or as an empty text.
pub(crate) fn value<'r, T>(
    row: &'r SqliteRow,
    column: impl ColumnIndex<SqliteRow>,
) -> Result<T, StoreError>
where
    T: Decode<'r, Sqlite> + Type<Sqlite>,
{
    let value: Option<T> = row.try_get(column).map_err(StoreError::corrupt)?;
    value.ok_or_else(|| StoreError::corrupt("a NULL where there is never one"))
}

/// A column that counts something.
pub(crate) fn count(row: &SqliteRow, column: usize) -> Result<u64, StoreError> {
    u64::try_from(value::<i64>(row, column)?).map_err(StoreError::corrupt)
}

/// The token, its digests included.
pub(crate) fn stored(row: &SqliteRow) -> Result<StoredToken, StoreError> {
    Ok(StoredToken { record: record(row)?, secrets: secrets(row).map_err(StoreError::corrupt)? })
}

/// The record alone.
pub(crate) fn record(row: &SqliteRow) -> Result<TokenRecord, StoreError> {
    read_record(row).map_err(StoreError::corrupt)
}

fn read_record(row: &SqliteRow) -> Result<TokenRecord, Undecodable> {
    let owner = Owner::new(value::<&str>(row, "owner")?)?;
    let name: String = value(row, "name")?;
    let created_at = Timestamp::from_millisecond(value(row, "created_at")?)?;
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
    record.revision = Revision::new(value::<i64>(row, "revision")?.try_into()?);
    Ok(record)
}

fn secrets(row: &SqliteRow) -> Result<Secrets, Undecodable> {
    let current = Digest::from_parts(value(row, "algorithm")?, value(row, "digest")?)?;
    let algorithm: Option<&str> = row.try_get("previous_algorithm")?;
    let digest: Option<&[u8]> = row.try_get("previous_digest")?;
    let previous = match (algorithm, digest, time(row, "previous_until")?) {
        (None, None, None) => None,
        (Some(algorithm), Some(digest), Some(until)) => {
            Some(PreviousSecret { digest: Digest::from_parts(algorithm, digest)?, until })
        }
        _ => return Err("half of a previous secret".into()),
    };
    Ok(Secrets { current, previous })
}

fn time(row: &SqliteRow, column: &str) -> Result<Option<Timestamp>, Undecodable> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_millisecond).transpose()?)
}

/// A number of the log and the nonce beside it.
pub(crate) fn position(number: i64, nonce: i64) -> Result<LogPosition, StoreError> {
    Ok(LogPosition { seq: seq(number)?, nonce: nonce.cast_unsigned() })
}

/// A line of the log, but for a row that has none.
pub(crate) fn logged(row: &SqliteRow) -> Result<Option<ChangeEntry>, StoreError> {
    read_logged(row).map_err(StoreError::corrupt)
}

fn read_logged(row: &SqliteRow) -> Result<Option<ChangeEntry>, Undecodable> {
    let Some(number) = row.try_get::<Option<i64>, _>("seq")? else {
        return Ok(None);
    };
    let at = position(number, value(row, "nonce")?)?;
    let scope = match value(row, "kind")? {
        "token" => ChangeTarget::Token(id(value(row, "token")?)?),
        "owner" => ChangeTarget::Owner(Owner::new(value::<&str>(row, "owner")?)?),
        _ => return Err("a change of an unknown kind".into()),
    };
    Ok(Some(ChangeEntry { at, scope }))
}
