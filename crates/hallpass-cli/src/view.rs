//! Tokens as JSON, with the same members as in the REST API.

use hallpass_core::TokenRecord;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// A token as JSON.
#[derive(Serialize)]
pub(crate) struct TokenView {
    id: String,
    owner: String,
    name: String,
    description: String,
    scopes: Vec<String>,
    metadata: Value,
    status: &'static str,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
    regenerated_at: Option<String>,
    revoked_at: Option<String>,
    previous_secret_expires_at: Option<String>,
    revision: u64,
}

impl TokenView {
    /// Creates the view of a record, with its status at that time.
    pub(crate) fn new(record: &TokenRecord, now: Timestamp) -> Self {
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
        Self {
            id: record.id.to_string(),
            owner: record.owner.to_string(),
            name: record.name.clone(),
            description: record.description.clone(),
            scopes: record.scopes.iter().map(ToString::to_string).collect(),
            metadata: Value::Object(
                record
                    .metadata
                    .iter()
                    .map(|(name, value)| (name.to_owned(), value.clone()))
                    .collect(),
            ),
            status: record.status(now).as_str(),
            created_at: record.created_at.to_string(),
            expires_at: time(record.expires_at),
            last_used_at: time(record.last_used_at),
            regenerated_at: time(record.regenerated_at),
            revoked_at: time(record.revoked_at),
            previous_secret_expires_at: time(record.previous_secret_accepted_until(now)),
            revision: record.revision.get(),
        }
    }
}
