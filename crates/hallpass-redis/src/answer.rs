//! What scripts answer: a word, and what belongs to it.

use hallpass_core::Owner;
use hallpass_core::store::{
    ChangeBatch, ChangeEntry, ChangeSeq, ChangeTarget, LogPosition, StoreError,
};
use jiff::Timestamp;
use redis::Value;

use crate::change::Logged;
use crate::packed;

/// What became of a change.
pub(crate) enum Answer {
    /// It stands.
    Found(Vec<Logged>),
    /// It does not, and never will.
    Fenced,
    /// The log has grown too much to say.
    TooMany,
}

/// The server has no clock: it was emptied, or is another one.
#[derive(Debug, thiserror::Error)]
#[error(
    "the tokens are gone from the server: it was emptied, or is another one. Restore it, or start this program \
     anew to begin with an empty store"
)]
struct Gone;

/// What is there is not what a script of this version would answer or write.
fn senseless() -> StoreError {
    StoreError::corrupt("the server answered what no script of this version does")
}

/// The word that an answer begins with, and the rest.
fn word(answer: Value) -> Result<(String, Vec<Value>), StoreError> {
    let Value::Array(mut parts) = answer else { return Err(senseless()) };
    if parts.is_empty() {
        return Err(senseless());
    }
    let rest = parts.split_off(1);
    let word = parts.first().map(text).transpose()?.ok_or_else(senseless)?;
    Ok((word.to_owned(), rest))
}

/// What belongs to `done`, or the error that another word stands for.
pub(crate) fn of_read(answer: Value) -> Result<Vec<Value>, StoreError> {
    match word(answer)? {
        (word, rest) if word == "done" => Ok(rest),
        (word, _) if word == "gone" => Err(StoreError::corrupt(Gone)),
        _ => Err(senseless()),
    }
}

/// What a script answered that changes something.
pub(crate) fn of_change(answer: Value) -> Result<Vec<Value>, StoreError> {
    let (word, rest) = word(answer)?;
    Err(match &*word {
        "done" => return Ok(rest),
        "missing" => StoreError::not_found(),
        "conflict" => StoreError::conflict(),
        "duplicate" => StoreError::duplicate(),
        "limit" => StoreError::limit_reached(number(rest.first().ok_or_else(senseless)?)?),
        "fenced" => StoreError::unavailable("the change came too late"),
        "gone" => StoreError::corrupt(Gone),
        "damaged" => StoreError::corrupt("the change log and its clock do not agree"),
        _ => senseless(),
    })
}

pub(crate) fn of_probe(answer: Value) -> Result<Answer, StoreError> {
    let (word, rest) = word(answer)?;
    match &*word {
        "found" => {
            let Some(Value::Array(lines)) = rest.first() else { return Err(senseless()) };
            let lines = lines.iter().map(|line| {
                let Value::Array(line) = line else { return Err(senseless()) };
                let [at, what, count] = &line[..] else { return Err(senseless()) };
                Ok(Logged::new(seq(at)?, bytes(what)?.to_vec(), optional_number(count)?))
            });
            lines.collect::<Result<_, _>>().map(Answer::Found)
        }
        "fenced" => Ok(Answer::Fenced),
        "many" => Ok(Answer::TooMany),
        "gone" => Err(StoreError::corrupt(Gone)),
        _ => Err(senseless()),
    }
}

pub(crate) fn of_changes(answer: Value) -> Result<ChangeBatch, StoreError> {
    let parts = of_read(answer)?;
    let [head, nonce, Value::Array(lines), time] = &parts[..] else { return Err(senseless()) };
    let head = LogPosition { seq: seq(head)?, nonce: number(nonce)? };
    let lines = lines.iter().map(line).collect::<Result<_, _>>()?;
    let time = text(time)?.parse().map_err(StoreError::corrupt)?;
    let time = Timestamp::from_millisecond(time).map_err(StoreError::corrupt)?;
    Ok(ChangeBatch { lines, head, time: Some(time) })
}

/// A line of the log: its number, and the names and values of its fields in turn.
fn line(line: &Value) -> Result<ChangeEntry, StoreError> {
    let Value::Array(line) = line else { return Err(senseless()) };
    let [at, Value::Array(fields)] = &line[..] else { return Err(senseless()) };
    let at = text(at)?.strip_suffix("-0").ok_or_else(senseless)?;
    let at = ChangeSeq::new(at.parse().map_err(StoreError::corrupt)?);
    let field = |name: &[u8]| {
        let mut pairs = fields.chunks_exact(2);
        pairs.find_map(|pair| bytes(&pair[0]).is_ok_and(|it| it == name).then(|| &pair[1]))
    };
    let (Some(nonce), Some(what)) = (field(b"n"), field(b"w")) else { return Err(senseless()) };
    let scope = match bytes(what)?.split_first() {
        Some((b't', token)) => {
            // Its owner may come behind it.
            let (id, _) = token.split_at_checked(16).ok_or_else(senseless)?;
            ChangeTarget::Token(packed::id(id)?)
        }
        Some((b'o', owner)) => {
            let owner = std::str::from_utf8(owner).map_err(StoreError::corrupt)?;
            ChangeTarget::Owner(Owner::new(owner).map_err(StoreError::corrupt)?)
        }
        _ => return Err(senseless()),
    };
    Ok(ChangeEntry { at: LogPosition { seq: at, nonce: number(nonce)? }, scope })
}

/// The clock, as a look-up finds it.
pub(crate) fn clock(value: Option<&Value>) -> Result<ChangeSeq, StoreError> {
    match value {
        Some(Value::Nil) | None => Err(StoreError::corrupt(Gone)),
        Some(clock) => seq(clock),
    }
}

fn seq(value: &Value) -> Result<ChangeSeq, StoreError> {
    number(value).map(ChangeSeq::new)
}

/// The number of a change; none where nothing was changed.
pub(crate) fn optional_seq(value: Option<&Value>) -> Result<Option<ChangeSeq>, StoreError> {
    let value = value.ok_or_else(senseless)?;
    if bytes(value)?.is_empty() { Ok(None) } else { seq(value).map(Some) }
}

pub(crate) fn number(value: &Value) -> Result<u64, StoreError> {
    text(value)?.parse().map_err(StoreError::corrupt)
}

/// A number, or 0 where there is none.
pub(crate) fn optional_number(value: &Value) -> Result<u64, StoreError> {
    if bytes(value)?.is_empty() { Ok(0) } else { number(value) }
}

pub(crate) fn owner(value: &Value) -> Result<Owner, StoreError> {
    Owner::new(text(value)?).map_err(StoreError::corrupt)
}

fn text(value: &Value) -> Result<&str, StoreError> {
    std::str::from_utf8(bytes(value)?).map_err(StoreError::corrupt)
}

pub(crate) fn bytes(value: &Value) -> Result<&[u8], StoreError> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        _ => Err(senseless()),
    }
}
