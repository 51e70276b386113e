//! Tokens as database columns.

use hallpass_core::store::StoredToken;
use serde::Serialize;

/// The values of a token in types that every database has: times in milliseconds, scopes separated
/// by spaces.
#[derive(Serialize)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) owner: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) scopes: String,
    pub(super) created_at: i64,
    pub(super) expires_at: Option<i64>,
    pub(super) last_used_at: Option<i64>,
    pub(super) revoked_at: Option<i64>,
    pub(super) revision: i64,
    pub(super) algorithm: String,
    pub(super) digest: String,
}

impl From<&StoredToken> for Row {
    fn from(StoredToken { record, secrets }: &StoredToken) -> Self {
        let millis = |time: jiff::Timestamp| time.as_millisecond();
        Self {
            id: record.id.as_uuid().simple().to_string(),
            owner: record.owner.as_str().to_owned(),
            name: record.name.clone(),
            description: record.description.clone(),
            scopes: record.scopes.to_string(),
            created_at: millis(record.created_at),
            expires_at: record.expires_at.map(millis),
            last_used_at: record.last_used_at.map(millis),
            revoked_at: record.revoked_at.map(millis),
            revision: record.revision.get().cast_signed(),
            algorithm: secrets.current.algorithm().to_owned(),
            digest: secrets.current.bytes().iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

/// Serializes tokens as one JSON text, which a database can parse.
pub(super) fn json(tokens: &[StoredToken]) -> String {
    let rows: Vec<Row> = tokens.iter().map(Row::from).collect();
    serde_json::to_string(&rows).expect("rows are texts and numbers")
}
