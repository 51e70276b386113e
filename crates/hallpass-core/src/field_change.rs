//! The changed fields of a token, for the audit trail.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::record::TokenRecord;
use crate::scope::Scope;

/// A changed field of a token, with its value before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field's name in the API.
    pub field: String,
    /// The value before the change; `null` if there was none.
    pub before: Value,
    /// The value after the change; `null` if there is none.
    pub after: Value,
}

/// A function that reads a field for the audit trail.
type ReadField = fn(&TokenRecord) -> Value;

/// Returns the fields in which two states of a token differ, for the audit trail. `None` stands
/// for a token that does not exist.
pub(crate) fn between(
    before: Option<&TokenRecord>,
    after: Option<&TokenRecord>,
) -> Vec<FieldChange> {
    let fields: [(&str, ReadField); 7] = [
        ("name", |record| record.name.clone().into()),
        ("description", |record| text_or_null(&record.description)),
        ("scopes", |record| record.scopes.iter().map(Scope::as_str).collect()),
        ("metadata", |record| record.metadata.to_value()),
        ("expires_at", |record| time_or_null(record.expires_at)),
        ("revoked_at", |record| time_or_null(record.revoked_at)),
        ("previous_secret_expires_at", |record| time_or_null(record.previous_secret_expires_at)),
    ];
    fields
        .into_iter()
        .filter_map(|(field, value)| {
            let (before, after) =
                (before.map_or(Value::Null, value), after.map_or(Value::Null, value));
            (before != after).then(|| FieldChange { field: field.to_owned(), before, after })
        })
        .collect()
}

fn text_or_null(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { text.into() }
}

fn time_or_null(time: Option<Timestamp>) -> Value {
    time.map_or(Value::Null, |time| time.to_string().into())
}
