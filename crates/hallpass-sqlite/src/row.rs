//! How a token is written in a row, and read back. What makes no sense is an error, never a guess.

use std::error::Error as StdError;

use hallpass_core::store::{
    Affected, LoggedChange, Position, PreviousSecret, Secrets, Seq, StoreError, StoredToken,
};
use hallpass_core::{Digest, Owner, Revision, ScopeSet, TokenId, TokenRecord};
use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

type Undecodable = Box<dyn StdError + Send + Sync>;

/// The columns that [`record`] reads: no digests.
macro_rules! record_columns {
    () => {
        "id, owner, name, description, scopes, created_at, expires_at, last_used_at, revoked_at, \
         regenerated_at, revision"
    };
}

/// The columns that [`stored`] reads.
macro_rules! stored_columns {
    () => {
        concat!(
            $crate::row::record_columns!(),
            ", algorithm, digest, previous_algorithm, previous_digest, previous_until"
        )
    };
}

pub(crate) use {record_columns, stored_columns};

pub(crate) fn id_bytes(id: TokenId) -> Vec<u8> {
    id.as_uuid().as_bytes().to_vec()
}

pub(crate) fn id(bytes: &[u8]) -> Result<TokenId, StoreError> {
    Uuid::from_slice(bytes).map(TokenId::from_uuid).map_err(StoreError::corrupt)
}

pub(crate) fn seq(number: i64) -> Result<Seq, StoreError> {
    u64::try_from(number).map(Seq::new).map_err(StoreError::corrupt)
}

/// A revision, as SQLite's signed integers hold it. Nobody changes a token 2^63 times.
pub(crate) fn revision(revision: Revision) -> i64 {
    i64::try_from(revision.get()).unwrap_or(i64::MAX)
}

pub(crate) fn millis(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_millisecond)
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
    let owner = Owner::new(row.try_get::<&str, _>("owner")?)?;
    let name: String = row.try_get("name")?;
    let created_at = Timestamp::from_millisecond(row.try_get("created_at")?)?;
    let mut record = TokenRecord::new(id(row.try_get("id")?)?, owner, name, created_at);
    record.description = row.try_get("description")?;
    let scopes: &str = row.try_get("scopes")?;
    if !scopes.is_empty() {
        record.scopes = ScopeSet::parse(scopes.split(' '))?;
    }
    record.expires_at = time(row, "expires_at")?;
    record.last_used_at = time(row, "last_used_at")?;
    record.revoked_at = time(row, "revoked_at")?;
    record.regenerated_at = time(row, "regenerated_at")?;
    record.revision = Revision::new(row.try_get::<i64, _>("revision")?.try_into()?);
    Ok(record)
}

fn secrets(row: &SqliteRow) -> Result<Secrets, Undecodable> {
    let current = Digest::from_parts(row.try_get("algorithm")?, row.try_get("digest")?)?;
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
pub(crate) fn position(number: i64, nonce: i64) -> Result<Position, StoreError> {
    Ok(Position { seq: seq(number)?, nonce: nonce.cast_unsigned() })
}

/// A line of the log, but for a row that has none.
pub(crate) fn logged(row: &SqliteRow) -> Result<Option<LoggedChange>, StoreError> {
    read_logged(row).map_err(StoreError::corrupt)
}

fn read_logged(row: &SqliteRow) -> Result<Option<LoggedChange>, Undecodable> {
    let Some(number) = row.try_get::<Option<i64>, _>("seq")? else {
        return Ok(None);
    };
    let at = position(number, row.try_get("nonce")?)?;
    let scope = match row.try_get("kind")? {
        "token" => Affected::Token(id(row.try_get("token")?)?),
        "owner" => Affected::Owner(Owner::new(row.try_get::<&str, _>("owner")?)?),
        _ => return Err("a change of an unknown kind".into()),
    };
    Ok(Some(LoggedChange { at, scope }))
}
