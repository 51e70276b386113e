//! The values that a store writes.

use hallpass_core::store::{ChangeTarget, Secrets};
use hallpass_core::{Event, Owner, Revision, TokenRecord, fold_beyond_ascii};

use crate::statement::Value;

/// The columns of [`record_values`].
///
/// `last_used_at` is not among them, because an update must not change it. The columns `name_key`
/// and `description_key` contain the folded text if it differs from the result of `lower`.
pub const RECORD_COLUMNS: [&str; 13] = [
    "id",
    "owner",
    "name",
    "name_key",
    "description",
    "description_key",
    "scopes",
    "metadata",
    "created_at",
    "expires_at",
    "revoked_at",
    "regenerated_at",
    "revision",
];

/// Returns the values of a record, in the order of [`RECORD_COLUMNS`].
#[must_use]
pub fn record_values(record: &TokenRecord) -> [Value; RECORD_COLUMNS.len()] {
    [
        Value::Id(Some(record.id)),
        Value::text(record.owner.as_str()),
        Value::text(&record.name),
        Value::Text(fold_beyond_ascii(&record.name)),
        Value::text(&record.description),
        Value::Text(fold_beyond_ascii(&record.description)),
        Value::text(record.scopes.to_string()),
        Value::text(record.metadata.to_json()),
        Value::Time(Some(record.created_at)),
        Value::Time(record.expires_at),
        Value::Time(record.revoked_at),
        Value::Time(record.regenerated_at),
        Value::integer(revision(record.revision)),
    ]
}

/// Returns a revision as a signed integer. It cannot overflow, because nobody changes a token 2^63
/// times.
#[must_use]
pub fn revision(revision: Revision) -> i64 {
    i64::try_from(revision.get()).unwrap_or(i64::MAX)
}

/// The columns of [`secrets_values`].
pub const SECRETS_COLUMNS: [&str; 5] =
    ["algorithm", "digest", "previous_algorithm", "previous_digest", "previous_until"];

/// Returns the values of secrets, in the order of [`SECRETS_COLUMNS`].
#[must_use]
pub fn secrets_values(secrets: &Secrets) -> [Value; SECRETS_COLUMNS.len()] {
    let previous = secrets.previous.as_ref();
    [
        Value::text(secrets.current.algorithm()),
        Value::Bytes(Some(secrets.current.bytes().to_vec())),
        Value::Text(previous.map(|previous| previous.digest.algorithm().to_owned())),
        Value::Bytes(previous.map(|previous| previous.digest.bytes().to_vec())),
        Value::Time(previous.map(|previous| previous.until)),
    ]
}

/// The columns of [`event_values`].
pub const EVENT_COLUMNS: [&str; 8] =
    ["target", "at", "kind", "actor", "owner", "token_id", "count", "details"];

/// Returns the values of a log entry, in the order of [`EVENT_COLUMNS`].
///
/// The token or owner of the target is written even if the event does not name it, because a cache
/// must learn what to invalidate.
#[must_use]
pub fn event_values(target: &ChangeTarget, event: &Event) -> [Value; EVENT_COLUMNS.len()] {
    let (name, token_id, owner) = match target {
        ChangeTarget::Token(id) => ("token", Some(*id), event.owner.as_ref()),
        ChangeTarget::Owner(owner) => ("owner", event.token_id, Some(owner)),
        ChangeTarget::None => ("none", event.token_id, event.owner.as_ref()),
        // This is `All`. For a target that this version does not know, too, everything becomes
        // void.
        _ => ("all", event.token_id, event.owner.as_ref()),
    };
    let text = |owner: Option<&Owner>| Value::Text(owner.map(|owner| owner.as_str().to_owned()));
    [
        Value::text(name),
        Value::Time(Some(event.at)),
        Value::text(event.kind.as_str()),
        text(event.actor.as_ref()),
        text(owner),
        Value::Id(token_id),
        Value::integer(i64::try_from(event.count).unwrap_or(i64::MAX)),
        Value::text(event.details_json()),
    ]
}
