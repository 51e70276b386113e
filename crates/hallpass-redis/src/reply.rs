//! The replies of scripts. Each is an array that starts with a word, which names the outcome.

use hallpass_core::store::{ChangeBatch, ChangeSeq, LogPosition, StoreError};
use jiff::Timestamp;
use redis::Value;

use crate::encoding::LogEntry;

/// The error for a server without a clock: it was emptied or replaced.
#[derive(Debug, thiserror::Error)]
#[error(
    "the tokens are missing, because the server was emptied or replaced: restore its data, or \
     restart this program to begin with an empty store"
)]
struct Gone;

/// Returns the error for a reply that no script of this version sends.
pub(crate) fn unexpected_reply() -> StoreError {
    StoreError::corrupt("the server sent a reply that no script of this version sends")
}

/// Returns the parts of a successful reply, without the word `done`. Returns an error for each
/// other word.
pub(crate) fn parts(reply: Value) -> Result<Vec<Value>, StoreError> {
    let Value::Array(mut parts) = reply else { return Err(unexpected_reply()) };
    if parts.is_empty() {
        return Err(unexpected_reply());
    }
    let word = parts.remove(0);
    Err(match text(&word)? {
        "done" => return Ok(parts),
        "missing" => StoreError::not_found(),
        "conflict" => StoreError::conflict(),
        "duplicate" => StoreError::duplicate(),
        "limit" => StoreError::limit_reached(number(parts.first().ok_or_else(unexpected_reply)?)?),
        "fenced" => StoreError::unavailable("the change was given up before it arrived"),
        "gone" => StoreError::corrupt(Gone),
        _ => unexpected_reply(),
    })
}

/// Decodes the reply of changes.lua.
pub(crate) fn changes(reply: Value) -> Result<ChangeBatch, StoreError> {
    let parts = parts(reply)?;
    let [head, nonce, Value::Array(entries), time] = &parts[..] else {
        return Err(unexpected_reply());
    };
    let head = LogPosition { seq: seq(head)?, nonce: number(nonce)? };
    let entries = entries.iter().map(|entry| LogEntry::read(entry)?.change());
    let entries = entries.collect::<Result<_, _>>()?;
    let time = text(time)?.parse().map_err(StoreError::corrupt)?;
    let time = Timestamp::from_millisecond(time).map_err(StoreError::corrupt)?;
    Ok(ChangeBatch { entries, head, time: Some(time) })
}

/// Decodes a sequence number.
pub(crate) fn seq(value: &Value) -> Result<ChangeSeq, StoreError> {
    number(value).map(ChangeSeq::new)
}

/// Decodes a number.
pub(crate) fn number(value: &Value) -> Result<u64, StoreError> {
    text(value)?.parse().map_err(StoreError::corrupt)
}

/// Decodes a text.
pub(crate) fn text(value: &Value) -> Result<&str, StoreError> {
    std::str::from_utf8(bytes(value)?).map_err(StoreError::corrupt)
}

/// Returns the bytes of a string.
pub(crate) fn bytes(value: &Value) -> Result<&[u8], StoreError> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        _ => Err(unexpected_reply()),
    }
}
