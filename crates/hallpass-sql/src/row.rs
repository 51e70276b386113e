//! Conversion of rows into the values of the store contract.

use std::error::Error as StdError;

use hallpass_core::store::{
    AuditEntry, AuditPage, ChangeBatch, ChangeEntry, ChangeSeq, ChangeTarget, ListPage, ListQuery,
    LogPosition, PreviousSecret, Secrets, StatusCounts, StoreError, StoredToken,
};
use hallpass_core::{Digest, Event, Metadata, Owner, Revision, ScopeSet, TokenId, TokenRecord};
use jiff::Timestamp;
use sqlx::{ColumnIndex, Decode, Row, Type};
use uuid::Uuid;

type Undecodable = Box<dyn StdError + Send + Sync>;

/// A row of any driver. A method returns `None` if the column is NULL.
pub trait ReadRow {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such column or if it is not text.
    fn text(&self, column: &str) -> Result<Option<&str>, sqlx::Error>;

    /// Reads a 64-bit integer.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such column or if it is not a 64-bit integer.
    fn integer(&self, column: &str) -> Result<Option<i64>, sqlx::Error>;

    /// Reads bytes.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such column or if it is not bytes.
    fn bytes(&self, column: &str) -> Result<Option<Vec<u8>>, sqlx::Error>;
}

impl<R> ReadRow for R
where
    R: Row,
    for<'c> &'c str: ColumnIndex<R>,
    for<'r> &'r str: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn text(&self, column: &str) -> Result<Option<&str>, sqlx::Error> {
        self.try_get(column)
    }

    fn integer(&self, column: &str) -> Result<Option<i64>, sqlx::Error> {
        self.try_get(column)
    }

    fn bytes(&self, column: &str) -> Result<Option<Vec<u8>>, sqlx::Error> {
        self.try_get(column)
    }
}

/// Reads a token with its digests. Returns `None` if the row's `id` is NULL.
///
/// # Errors
///
/// Returns [`corrupt`](StoreError::corrupt) if a value is invalid.
pub fn stored_token(row: &impl ReadRow) -> Result<Option<StoredToken>, StoreError> {
    let Some(record) = record(row)? else { return Ok(None) };
    let secrets = secrets(row).map_err(|error| unreadable_token(record.id, &error))?;
    Ok(Some(StoredToken { record, secrets }))
}

/// Reads the page that the statement of [`list`](crate::list()) has selected.
///
/// # Errors
///
/// Returns [`corrupt`](StoreError::corrupt) if a value is invalid.
pub fn list_page<R: ReadRow>(rows: &[R], query: &ListQuery) -> Result<ListPage, StoreError> {
    let first = only(rows)?;
    let counts = StatusCounts {
        active: count(first, "active")?,
        expired: count(first, "expired")?,
        revoked: count(first, "revoked")?,
    };
    let records = rows.iter().filter_map(|row| record(row).transpose());
    let mut records = records.collect::<Result<Vec<_>, _>>()?;
    // SQL does not guarantee that a join keeps the order of the page.
    records.sort_by(|a, b| query.sort.compare(&query.sort.key_of(a), &query.sort.key_of(b)));
    let limit = query.limit as usize;
    let more = records.len() > limit;
    records.truncate(limit);
    Ok(ListPage { records, counts, more, as_of: seq(first, "as_of")? })
}

/// Reads the page that the statement of [`audit`](crate::audit()) has selected, of at most `limit`
/// entries.
///
/// # Errors
///
/// Returns [`corrupt`](StoreError::corrupt) if a value is invalid.
pub fn audit_page<R: ReadRow>(rows: &[R], limit: u32) -> Result<AuditPage, StoreError> {
    let limit = limit as usize;
    let entry = |row| {
        let seq = seq(row, "seq")?;
        Ok(AuditEntry::new(seq, event(row).map_err(|error| unreadable_entry(seq, &error))?))
    };
    let entries = rows.iter().take(limit).map(entry).collect::<Result<_, StoreError>>()?;
    Ok(AuditPage { entries, more: rows.len() > limit })
}

/// Reads log entries for a cache.
///
/// Each row contains the newest position as `head` and `head_nonce`, and an entry as `seq`,
/// `nonce`, `target`, `token_id` and `owner`. If there is no entry, there is one row whose `seq` is
/// NULL. The store's time is not read.
///
/// # Errors
///
/// Returns [`corrupt`](StoreError::corrupt) if a value is invalid.
pub fn change_batch<R: ReadRow>(rows: &[R]) -> Result<ChangeBatch, StoreError> {
    let head = position(only(rows)?, "head", "head_nonce")?;
    let entries = rows.iter().filter_map(|row| change_entry(row).transpose());
    Ok(ChangeBatch { entries: entries.collect::<Result<_, _>>()?, head, time: None })
}

/// Reads a log entry. Returns `None` if the row contains none.
fn change_entry(row: &impl ReadRow) -> Result<Option<ChangeEntry>, StoreError> {
    if row.integer("seq").map_err(StoreError::corrupt)?.is_none() {
        return Ok(None);
    }
    let position = position(row, "seq", "nonce")?;
    let target = target(row).map_err(|error| unreadable_entry(position.seq, &error))?;
    Ok(Some(ChangeEntry { position, target }))
}

/// Reads the target of a log entry.
fn target(row: &impl ReadRow) -> Result<ChangeTarget, Undecodable> {
    Ok(match required(row.text("target")?)? {
        "none" => ChangeTarget::None,
        "token" => ChangeTarget::Token(required(id(row, "token_id")?)?),
        "owner" => ChangeTarget::Owner(required(owner(row, "owner")?)?),
        "all" => ChangeTarget::All,
        _ => return Err("it has an unknown target".into()),
    })
}

/// Reads a position of the log from two columns.
///
/// # Errors
///
/// Returns [`corrupt`](StoreError::corrupt) if a column is NULL, negative or not an integer.
pub fn position(
    row: &impl ReadRow,
    seq_column: &str,
    nonce_column: &str,
) -> Result<LogPosition, StoreError> {
    let nonce = row.integer(nonce_column).map_err(StoreError::corrupt)?;
    let nonce = required(nonce).map_err(StoreError::corrupt)?.cast_unsigned();
    Ok(LogPosition { seq: seq(row, seq_column)?, nonce })
}

/// Reads a sequence number.
///
/// # Errors
///
/// Returns [`corrupt`](StoreError::corrupt) if a column is NULL, negative or not an integer.
pub fn seq(row: &impl ReadRow, column: &str) -> Result<ChangeSeq, StoreError> {
    count(row, column).map(ChangeSeq::new)
}

/// Reads a number that is never negative.
///
/// # Errors
///
/// Returns [`corrupt`](StoreError::corrupt) if a column is NULL, negative or not an integer.
pub fn count(row: &impl ReadRow, column: &str) -> Result<u64, StoreError> {
    let number = row.integer(column).map_err(StoreError::corrupt)?;
    u64::try_from(required(number).map_err(StoreError::corrupt)?).map_err(StoreError::corrupt)
}

/// Returns the first row. A statement that joins the clock returns at least one.
fn only<R>(rows: &[R]) -> Result<&R, StoreError> {
    rows.first().ok_or_else(|| StoreError::corrupt("the clock's row is missing"))
}

/// Reads a record. Returns `None` if `id` is NULL.
fn record(row: &impl ReadRow) -> Result<Option<TokenRecord>, StoreError> {
    let Some(id) = id(row, "id").map_err(StoreError::corrupt)? else { return Ok(None) };
    record_of(id, row).map(Some).map_err(|error| unreadable_token(id, &error))
}

/// Returns an error that names the token, so that it can be found in the database.
fn unreadable_token(id: TokenId, error: &Undecodable) -> StoreError {
    StoreError::corrupt(format!("the token {id} cannot be read: {error}"))
}

/// Returns an error that names the log entry.
fn unreadable_entry(seq: ChangeSeq, error: &Undecodable) -> StoreError {
    StoreError::corrupt(format!("the log entry {} cannot be read: {error}", seq.get()))
}

fn record_of(id: TokenId, row: &impl ReadRow) -> Result<TokenRecord, Undecodable> {
    let owner = required(owner(row, "owner")?)?;
    let name = required(row.text("name")?)?;
    let mut record = TokenRecord::new(id, owner, name, required(time(row, "created_at")?)?);
    record.description = required(row.text("description")?)?.to_owned();
    let scopes = required(row.text("scopes")?)?;
    if !scopes.is_empty() {
        record.scopes = ScopeSet::parse(scopes.split(' '))?;
    }
    record.metadata = Metadata::from_json(required(row.text("metadata")?)?)?;
    record.expires_at = time(row, "expires_at")?;
    record.last_used_at = time(row, "last_used_at")?;
    record.revoked_at = time(row, "revoked_at")?;
    record.regenerated_at = time(row, "regenerated_at")?;
    record.previous_secret_expires_at = time(row, "previous_until")?;
    record.revision = Revision::new(required(row.integer("revision")?)?.try_into()?);
    Ok(record)
}

/// Reads the digests of a token.
fn secrets(row: &impl ReadRow) -> Result<Secrets, Undecodable> {
    let digest = required(row.bytes("digest")?)?;
    let current = Digest::from_parts(required(row.text("algorithm")?)?, &digest)?;
    let previous = (
        row.text("previous_algorithm")?,
        row.bytes("previous_digest")?,
        time(row, "previous_until")?,
    );
    let previous = match previous {
        (None, None, None) => None,
        (Some(algorithm), Some(digest), Some(until)) => {
            Some(PreviousSecret { digest: Digest::from_parts(algorithm, &digest)?, until })
        }
        _ => return Err("the previous secret is incomplete".into()),
    };
    Ok(Secrets { current, previous })
}

/// Reads the event of a log entry.
fn event(row: &impl ReadRow) -> Result<Event, Undecodable> {
    let kind = required(row.text("kind")?)?.parse()?;
    let mut event = Event::new(kind, required(time(row, "at")?)?);
    event.actor = owner(row, "actor")?;
    event.owner = owner(row, "owner")?;
    event.token_id = id(row, "token_id")?;
    event.count = required(row.integer("count")?)?.try_into()?;
    Ok(event.with_details_json(required(row.text("details")?)?)?)
}

/// Returns an error if a value is NULL. Without this, a driver could read NULL as 0 or as empty
/// text.
fn required<T>(value: Option<T>) -> Result<T, Undecodable> {
    value.ok_or_else(|| "a column is NULL that must not be".into())
}

fn id(row: &impl ReadRow, column: &str) -> Result<Option<TokenId>, Undecodable> {
    let bytes = row.bytes(column)?;
    Ok(bytes.map(|bytes| Uuid::from_slice(&bytes).map(TokenId::from_uuid)).transpose()?)
}

fn owner(row: &impl ReadRow, column: &str) -> Result<Option<Owner>, Undecodable> {
    Ok(row.text(column)?.map(Owner::new).transpose()?)
}

fn time(row: &impl ReadRow, column: &str) -> Result<Option<Timestamp>, Undecodable> {
    Ok(row.integer(column)?.map(Timestamp::from_millisecond).transpose()?)
}
