//! Tokens as the API shows them.

use axum::http::header::{CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hallpass_core::{Hallpass, Issued, Status, TokenRecord};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::texts::{DescriptionText, NameText, OwnerText, ScopeText};

/// A token, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub(crate) struct TokenView {
    #[schema(format = "uuid")]
    id: String,
    #[schema(value_type = OwnerText)]
    owner: String,
    #[schema(value_type = NameText)]
    name: String,
    #[schema(value_type = DescriptionText)]
    description: String,
    /// What it may do; nothing if empty.
    #[schema(value_type = Vec<ScopeText>, max_items = 100)]
    scopes: Vec<String>,
    /// The host's own data about the token.
    #[schema(value_type = Object)]
    metadata: Value,
    status: StatusView,
    #[schema(format = DateTime)]
    created_at: String,
    /// From when on it is refused; never if `null`.
    #[schema(format = DateTime, required = true)]
    expires_at: Option<String>,
    /// When it was last accepted, to the minute or so.
    #[schema(format = DateTime, required = true)]
    last_used_at: Option<String>,
    /// When it last got a new secret.
    #[schema(format = DateTime, required = true)]
    regenerated_at: Option<String>,
    /// When it was taken back.
    #[schema(format = DateTime, required = true)]
    revoked_at: Option<String>,
    /// Until when the previous secret works too; `null` if it does not.
    #[schema(format = DateTime, required = true)]
    previous_secret_expires_at: Option<String>,
    /// How often it was changed; its `ETag`.
    #[schema(minimum = 1)]
    revision: u64,
}

/// Whether a token works, and if not, why.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Status)]
pub(crate) enum StatusView {
    Active,
    Expired,
    Revoked,
}

/// A token that has just got a secret.
#[derive(Serialize, ToSchema)]
#[schema(as = IssuedToken)]
pub(crate) struct IssuedView<'t> {
    #[serde(flatten)]
    shown: TokenView,
    /// The token itself: this is the only time it is ever shown.
    token: &'t str,
}

impl TokenView {
    /// The record, its status as of that time.
    pub(crate) fn new(record: &TokenRecord, now: Timestamp) -> Self {
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
        Self {
            id: record.id.to_string(),
            owner: record.owner.to_string(),
            name: record.name.clone(),
            description: record.description.clone(),
            scopes: record.scopes.iter().map(ToString::to_string).collect(),
            metadata: match record.metadata.to_value() {
                Value::Null => Value::Object(Map::new()),
                members => members,
            },
            status: match record.status(now) {
                Status::Active => StatusView::Active,
                Status::Expired => StatusView::Expired,
                Status::Revoked => StatusView::Revoked,
            },
            created_at: record.created_at.to_string(),
            expires_at: time(record.expires_at),
            last_used_at: time(record.last_used_at),
            regenerated_at: time(record.regenerated_at),
            revoked_at: time(record.revoked_at),
            previous_secret_expires_at: time(
                record.previous_secret_expires_at.filter(|until| *until > now),
            ),
            revision: record.revision.get(),
        }
    }

    pub(crate) fn etag(&self) -> String {
        format!("\"{}\"", self.revision)
    }
}

impl<'t> IssuedView<'t> {
    pub(crate) fn new(issued: &'t Issued, now: Timestamp) -> Self {
        Self { shown: TokenView::new(&issued.record, now), token: issued.token.reveal() }
    }
}

/// 200 with a value.
pub(crate) fn json(value: &impl Serialize) -> Response {
    let mut response = to_json(value).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// 200 with a token and its `ETag`.
pub(crate) fn token(hallpass: &Hallpass, record: &TokenRecord) -> Response {
    let view = TokenView::new(record, hallpass.now());
    ([(ETAG, view.etag())], json(&view)).into_response()
}

/// 200 with a token and its new secret.
pub(crate) fn issued(hallpass: &Hallpass, issued: &Issued) -> Response {
    let view = IssuedView::new(issued, hallpass.now());
    ([(ETAG, view.shown.etag())], json(&view)).into_response()
}

/// 201 with a new token, and where it is: relative, because a proxy may have cut off a prefix.
pub(crate) fn created(hallpass: &Hallpass, new: &Issued, parent: &str) -> Response {
    let location = format!("{parent}{}", new.record.id);
    (StatusCode::CREATED, [(LOCATION, location)], issued(hallpass, new)).into_response()
}

/// Writes JSON.
///
/// # Panics
///
/// Never for what this crate writes: no value of it has a key that is no string, or fails to be
/// written.
pub(crate) fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("views are JSON")
}
