//! The values that a store writes.

use hallpass_core::store::{ChangeTarget, Secrets};
use hallpass_core::{Event, Metadata, Owner, Revision, TokenRecord, fold_beyond_ascii};
use serde_json::Value as Json;

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
        Value::text(metadata_text(&record.metadata)),
        Value::Time(Some(record.created_at)),
        Value::Time(record.expires_at),
        Value::Time(record.revoked_at),
        Value::Time(record.regenerated_at),
        Value::integer(revision(record.revision)),
    ]
}

/// Writes metadata as a JSON text with one member per line, or as an empty text.
///
/// The filter by a member searches for its whole line. JSON has no line breaks within names and
/// values, because it writes them as `\n`.
fn metadata_text(metadata: &Metadata) -> String {
    if metadata.is_empty() {
        return String::new();
    }
    let members: Vec<_> = metadata.iter().map(|(name, value)| metadata_line(name, value)).collect();
    format!("{{{}}}", members.join(","))
}

/// Writes a member of metadata as a line, between two line breaks.
pub(crate) fn metadata_line(name: &str, value: &Json) -> String {
    format!("\n{}:{value}\n", Json::from(name))
}

/// Returns a revision as a signed integer. It cannot overflow, because a token is never changed
/// 2^63 times.
#[must_use]
pub fn revision(revision: Revision) -> i64 {
    i64::try_from(revision.get()).unwrap_or(i64::MAX)
}

/// Writes `column = value` for each column. The values are numbered from `first` on.
pub fn assignments(
    columns: &[&str],
    first: usize,
    value: impl Fn(&str, usize) -> String,
) -> String {
    let numbered = columns.iter().zip(first..);
    let list: Vec<_> =
        numbered.map(|(column, number)| format!("{column} = {}", value(column, number))).collect();
    list.join(", ")
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
/// needs it to invalidate its data.
#[must_use]
pub fn event_values(target: &ChangeTarget, event: &Event) -> [Value; EVENT_COLUMNS.len()] {
    let (target_word, token_id, owner) = match target {
        ChangeTarget::Token(id) => ("token", Some(*id), event.owner.as_ref()),
        ChangeTarget::Owner(owner) => ("owner", event.token_id, Some(owner)),
        ChangeTarget::None => ("none", event.token_id, event.owner.as_ref()),
        // This is `All`, or a target of a later version, for which caches invalidate everything,
        // too.
        _ => ("all", event.token_id, event.owner.as_ref()),
    };
    let owner_value =
        |owner: Option<&Owner>| Value::Text(owner.map(|owner| owner.as_str().to_owned()));
    [
        Value::text(target_word),
        Value::Time(Some(event.at)),
        Value::text(event.kind.as_str()),
        owner_value(event.actor.as_ref()),
        owner_value(owner),
        Value::Id(token_id),
        Value::integer(i64::try_from(event.count).unwrap_or(i64::MAX)),
        Value::text(event.details_json()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_of_a_member_occurs_only_where_the_member_is() {
        let texts = ["", ",", "\"", "\n", ",\n\"b\":1\n", ":5,x", "b", "}"];
        let values =
            || texts.into_iter().map(Json::from).chain([1.into(), 1.5.into(), true.into()]);
        for name in texts.into_iter().filter(|name| !name.is_empty() && !name.contains('\n')) {
            for value in values() {
                let metadata = Metadata::new([(name, value.clone()), ("b", 1.into())]).unwrap();
                let text = metadata_text(&metadata);
                assert_eq!(Metadata::from_json(&text), Ok(metadata.clone()));
                for (other, of_other) in
                    texts.into_iter().flat_map(|name| values().map(move |value| (name, value)))
                {
                    let is_member = metadata.get(other) == Some(&of_other);
                    assert_eq!(
                        text.contains(&metadata_line(other, &of_other)),
                        is_member,
                        "{text}"
                    );
                }
            }
        }
    }
}
