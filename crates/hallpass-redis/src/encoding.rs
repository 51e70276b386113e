//! The encoding of tokens and log entries.
//!
//! A token is a hash. The names of its fields have one letter, because every token repeats them. An
//! absent value has no field. Times are milliseconds since 1970. Numbers are decimal text.
//!
//! | field | value |
//! |---|---|
//! | `o` `n` `d` | owner, name, description |
//! | `s` `m` | scopes, separated by spaces; metadata as JSON |
//! | `c` `e` `u` `x` `g` | times: created, expires, last used, revoked, regenerated |
//! | `r` | revision |
//! | `k` | digest of the current secret: the algorithm, a colon, 32 bytes |
//! | `p` `t` | digest of the previous secret, and the time until which it is accepted |
//!
//! A log entry is a stream entry. It has all of these fields, of which some may be empty:
//!
//! | field | value |
//! |---|---|
//! | `n` | nonce |
//! | `t` | the target: `n` for nothing, `t` and a token id, `o` and an owner, `a` for everything |
//! | `a` `k` | time and kind |
//! | `b` `o` `i` | actor, owner, token id |
//! | `c` `d` | count, and details as JSON |

use std::error::Error as StdError;
use std::str::FromStr;

use hallpass_core::store::{
    AuditEntry, ChangeEntry, ChangeSeq, ChangeTarget, LogPosition, PreviousSecret, Secrets,
    StoreError, StoredToken,
};
use hallpass_core::{Digest, Event, Metadata, Owner, Revision, ScopeSet, TokenId, TokenRecord};
use jiff::Timestamp;
use redis::Value;
use uuid::Uuid;

use crate::reply::{bytes, text, unexpected_reply};

type DecodeError = Box<dyn StdError + Send + Sync>;

/// The names and values of fields. An empty value stands for an absent field.
pub(crate) type Fields = Vec<(&'static str, Vec<u8>)>;

/// Returns the fields of a new token that have a value.
pub(crate) fn token_fields(token: &StoredToken) -> Fields {
    let mut fields = record_fields(&token.record);
    fields.extend(secret_fields(&token.secrets));
    fields.push(("u", optional_time(token.record.last_used_at)));
    fields.retain(|(_, value)| !value.is_empty());
    fields
}

/// Returns the fields that an update writes: all except the secrets and the last use.
pub(crate) fn record_fields(record: &TokenRecord) -> Fields {
    vec![
        ("o", record.owner.as_str().into()),
        ("n", record.name.clone().into()),
        ("d", record.description.clone().into()),
        ("s", record.scopes.to_string().into()),
        ("m", record.metadata.to_json().into()),
        ("c", time(record.created_at)),
        ("e", optional_time(record.expires_at)),
        ("x", optional_time(record.revoked_at)),
        ("g", optional_time(record.regenerated_at)),
        ("r", record.revision.get().to_string().into()),
    ]
}

/// Returns the fields of a token's secrets.
pub(crate) fn secret_fields(secrets: &Secrets) -> Fields {
    let previous = secrets.previous.as_ref();
    vec![
        ("k", digest(&secrets.current)),
        ("p", previous.map(|previous| digest(&previous.digest)).unwrap_or_default()),
        ("t", optional_time(previous.map(|previous| previous.until))),
    ]
}

/// Encodes a digest. It contains raw bytes, because Redis stores a hash compactly only if its
/// fields have at most 64 bytes.
pub(crate) fn digest(digest: &Digest) -> Vec<u8> {
    [digest.algorithm().as_bytes(), b":", digest.bytes()].concat()
}

/// Encodes a time.
pub(crate) fn time(at: Timestamp) -> Vec<u8> {
    at.as_millisecond().to_string().into()
}

/// Encodes a time, or an empty value.
pub(crate) fn optional_time(at: Option<Timestamp>) -> Vec<u8> {
    at.map(time).unwrap_or_default()
}

/// Encodes the id of a token.
pub(crate) fn id_arg(id: TokenId) -> Vec<u8> {
    id.as_uuid().as_bytes().to_vec()
}

/// Decodes the id of a token.
pub(crate) fn decode_id(value: &Value) -> Result<TokenId, StoreError> {
    id_of(bytes(value)?).map_err(StoreError::corrupt)
}

/// Decodes an owner.
pub(crate) fn decode_owner(value: &Value) -> Result<Owner, StoreError> {
    Owner::new(text(value)?).map_err(StoreError::corrupt)
}

fn id_of(bytes: &[u8]) -> Result<TokenId, DecodeError> {
    Ok(TokenId::from_uuid(Uuid::from_slice(bytes)?))
}

/// Encodes the target of a change.
pub(crate) fn target(target: &ChangeTarget) -> Vec<u8> {
    match target {
        ChangeTarget::Token(id) => [b"t".as_slice(), id.as_uuid().as_bytes()].concat(),
        ChangeTarget::Owner(owner) => [b"o", owner.as_str().as_bytes()].concat(),
        ChangeTarget::All => b"a".into(),
        _ => b"n".into(),
    }
}

/// Decodes a token from the reply to `HGETALL`. Returns `None` if the token does not exist. An
/// error names the token, so that its key can be found.
pub(crate) fn decode_token(id: TokenId, reply: &Value) -> Result<Option<StoredToken>, StoreError> {
    let fields = pairs(reply)?;
    if fields.is_empty() {
        return Ok(None);
    }
    let unreadable = |error| format!("the token {id} cannot be read: {error}");
    token_of(id, &fields).map(Some).map_err(|error| StoreError::corrupt(unreadable(error)))
}

/// Decodes the fields of a token. An unknown field is an error, because it could be a restriction
/// that a newer version has stored. Ignoring it would accept the token without the restriction.
fn token_of(id: TokenId, fields: &[Field<'_>]) -> Result<StoredToken, DecodeError> {
    const NAMES: &[u8] = b"ondsmceuxgrkpt";
    let mut values = [None; NAMES.len()];
    for (name, value) in fields {
        let at = NAMES.iter().position(|known| *name == [*known]).ok_or("an unknown field")?;
        values[at] = Some(*value);
    }
    let text = |at: usize| values[at].map(std::str::from_utf8).transpose();
    let required = |at: usize| text(at)?.ok_or_else(|| DecodeError::from("a field is missing"));
    let time = |at: usize| text(at)?.map(time_of).transpose();

    let owner = Owner::new(required(0)?)?;
    let mut record = TokenRecord::new(id, owner, required(1)?, time_of(required(5)?)?);
    text(2)?.unwrap_or_default().clone_into(&mut record.description);
    record.scopes = ScopeSet::parse(text(3)?.into_iter().flat_map(|scopes| scopes.split(' ')))?;
    record.metadata = Metadata::from_json(text(4)?.unwrap_or_default())?;
    record.expires_at = time(6)?;
    record.last_used_at = time(7)?;
    record.revoked_at = time(8)?;
    record.regenerated_at = time(9)?;
    record.revision = Revision::new(number_of(required(10)?)?);
    let current = digest_of(values[11].ok_or("a field is missing")?)?;
    let previous = match (values[12], time(13)?) {
        (Some(digest), Some(until)) => Some(PreviousSecret { digest: digest_of(digest)?, until }),
        (None, None) => None,
        _ => return Err("the previous secret is incomplete".into()),
    };
    record.previous_secret_expires_at = previous.as_ref().map(|previous| previous.until);
    Ok(StoredToken { record, secrets: Secrets { current, previous } })
}

/// Decodes a digest.
fn digest_of(value: &[u8]) -> Result<Digest, DecodeError> {
    let at = value.len().checked_sub(33).filter(|at| value[*at] == b':').ok_or("no digest")?;
    Ok(Digest::from_parts(std::str::from_utf8(&value[..at])?, &value[at + 1..])?)
}

/// Parses a number that was written without a plus sign or leading zeros.
fn number_of<N: FromStr<Err: StdError + Send + Sync + 'static> + ToString>(
    text: &str,
) -> Result<N, DecodeError> {
    let number: N = text.parse()?;
    if number.to_string() == text { Ok(number) } else { Err("a number has an unknown form".into()) }
}

fn time_of(text: &str) -> Result<Timestamp, DecodeError> {
    Ok(Timestamp::from_millisecond(number_of(text)?)?)
}

/// The name and the value of a field.
type Field<'v> = (&'v [u8], &'v [u8]);

/// A log entry whose fields are not decoded yet.
pub(crate) struct LogEntry<'v> {
    seq: ChangeSeq,
    fields: Vec<Field<'v>>,
}

impl<'v> LogEntry<'v> {
    /// Reads an entry of a stream.
    pub(crate) fn read(reply: &'v Value) -> Result<Self, StoreError> {
        let Value::Array(entry) = reply else { return Err(unexpected_reply()) };
        let [id, fields] = &entry[..] else { return Err(unexpected_reply()) };
        let seq = text(id)?.strip_suffix("-0").ok_or_else(unexpected_reply)?;
        let seq = ChangeSeq::new(number_of(seq).map_err(StoreError::corrupt)?);
        Ok(Self { seq, fields: pairs(fields)? })
    }

    /// Returns an error that names the entry.
    fn unreadable(&self, error: DecodeError) -> StoreError {
        let seq = self.seq.get();
        StoreError::corrupt(format!("the log entry {seq} cannot be read: {error}"))
    }

    fn bytes(&self, name: &str) -> Result<&'v [u8], DecodeError> {
        let mut fields = self.fields.iter();
        let field = fields.find(|(field, _)| *field == name.as_bytes());
        field.map(|(_, value)| *value).ok_or_else(|| "a field is missing".into())
    }

    fn text(&self, name: &str) -> Result<&'v str, DecodeError> {
        Ok(std::str::from_utf8(self.bytes(name)?)?)
    }

    fn owner(&self, name: &str) -> Result<Option<Owner>, DecodeError> {
        let text = self.text(name)?;
        if text.is_empty() { Ok(None) } else { Ok(Some(Owner::new(text)?)) }
    }

    fn token_id(&self) -> Result<Option<TokenId>, DecodeError> {
        let bytes = self.bytes("i")?;
        if bytes.is_empty() { Ok(None) } else { id_of(bytes).map(Some) }
    }

    /// Decodes the part that a cache needs.
    pub(crate) fn change(&self) -> Result<ChangeEntry, StoreError> {
        let change = || {
            let target = match self.bytes("t")?.split_first() {
                Some((b't', id)) => ChangeTarget::Token(id_of(id)?),
                Some((b'o', owner)) => {
                    ChangeTarget::Owner(Owner::new(std::str::from_utf8(owner)?)?)
                }
                Some((b'n', [])) => ChangeTarget::None,
                Some((b'a', [])) => ChangeTarget::All,
                _ => return Err("it has an unknown target".into()),
            };
            let position = LogPosition { seq: self.seq, nonce: number_of(self.text("n")?)? };
            Ok(ChangeEntry { position, target })
        };
        change().map_err(|error| self.unreadable(error))
    }

    /// Decodes the entry for the audit trail.
    pub(crate) fn audit(&self) -> Result<AuditEntry, StoreError> {
        let event = || {
            let mut event = Event::new(self.text("k")?.parse()?, time_of(self.text("a")?)?);
            event.actor = self.owner("b")?;
            event.owner = self.owner("o")?;
            event.token_id = self.token_id()?;
            event.count = number_of(self.text("c")?)?;
            Ok(event.with_details_json(self.text("d")?)?)
        };
        let event = event().map_err(|error| self.unreadable(error))?;
        Ok(AuditEntry::new(self.seq, event))
    }
}

/// Splits a reply into names and values. It is a map in RESP3, and an array in RESP2.
fn pairs(fields: &Value) -> Result<Vec<Field<'_>>, StoreError> {
    let pairs = fields.as_map_iter().ok_or_else(unexpected_reply)?;
    pairs.map(|(name, value)| Ok((bytes(name)?, bytes(value)?))).collect()
}
