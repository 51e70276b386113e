//! The responses of the API that show tokens.
//!
//! A record is shown in the same form everywhere. Only the responses to issuing, copying and
//! regenerating contain a secret, and they have a type of their own.

use axum::Json;
use axum::http::header::{ETAG, LOCATION};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use hallpass_core::{
    Hallpass, Issued, Metadata, Owner, Revision, ScopeSet, Status, TokenId, TokenRecord,
};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::texts::{DescriptionText, NameText, OwnerText, ScopeText};

/// A token, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub(crate) struct TokenView {
    #[schema(value_type = String, format = "uuid")]
    id: TokenId,
    #[schema(value_type = OwnerText)]
    owner: Owner,
    #[schema(value_type = NameText)]
    name: String,
    #[schema(value_type = DescriptionText)]
    description: String,
    /// The scopes of the token. A token without scopes allows nothing.
    #[schema(value_type = Vec<ScopeText>, max_items = 100)]
    scopes: ScopeSet,
    /// The host's own data about the token.
    #[schema(value_type = Object)]
    metadata: Metadata,
    status: StatusView,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The time when the token expires; `null` if it never expires.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    expires_at: Option<Timestamp>,
    /// The time when the token was last accepted, accurate to about a minute.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    last_used_at: Option<Timestamp>,
    /// The time when the token last got a new secret.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    regenerated_at: Option<Timestamp>,
    /// The time when the token was revoked.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    revoked_at: Option<Timestamp>,
    /// The time when the previous secret stops working; `null` if it does not work.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    previous_secret_expires_at: Option<Timestamp>,
    /// The revision: a number that each change increases. It is the token's `ETag`.
    #[schema(value_type = u64, minimum = 1)]
    revision: Revision,
}

/// The status of a token: whether it works, and the reason if it does not.
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
pub(crate) struct IssuedView {
    #[serde(flatten)]
    record: TokenView,
    /// The token itself. It is shown only this once.
    token: String,
}

impl TokenView {
    /// The record, with its status at that time.
    pub(crate) fn new(record: &TokenRecord, now: Timestamp) -> Self {
        Self {
            id: record.id,
            owner: record.owner.clone(),
            name: record.name.clone(),
            description: record.description.clone(),
            scopes: record.scopes.clone(),
            metadata: record.metadata.clone(),
            status: match record.status(now) {
                Status::Active => StatusView::Active,
                Status::Expired => StatusView::Expired,
                Status::Revoked => StatusView::Revoked,
            },
            created_at: record.created_at,
            expires_at: record.expires_at,
            last_used_at: record.last_used_at,
            regenerated_at: record.regenerated_at,
            revoked_at: record.revoked_at,
            previous_secret_expires_at: record.previous_secret_accepted_until(now),
            revision: record.revision,
        }
    }
}

/// The token as it is now.
#[derive(utoipa::IntoResponses)]
#[response(status = 200, headers(("ETag" = String, description = "The revision, for `If-Match`.")))]
pub(crate) struct TokenResponse(TokenView);

/// The token with its secret, which is shown only once.
#[derive(utoipa::IntoResponses)]
#[response(status = 200, headers(("ETag" = String, description = "The revision, for `If-Match`.")))]
pub(crate) struct IssuedResponse(IssuedView);

/// The response for a new token: 201 with its `Location`. The reference is relative, because a
/// proxy may have removed a prefix.
pub(crate) type CreatedResponse = (StatusCode, [(HeaderName, String); 1], IssuedResponse);

impl TokenResponse {
    pub(crate) fn new(hallpass: &Hallpass, record: &TokenRecord) -> Self {
        Self(TokenView::new(record, hallpass.now()))
    }
}

impl IssuedResponse {
    pub(crate) fn new(hallpass: &Hallpass, issued: &Issued) -> Self {
        let record = TokenView::new(&issued.record, hallpass.now());
        Self(IssuedView { record, token: issued.token.reveal().to_owned() })
    }

    /// Sets the `Location`. `parent` is the relative path from the request to the collection.
    pub(crate) fn created(self, parent: &str) -> CreatedResponse {
        let location = format!("{parent}{}", self.0.record.id);
        (StatusCode::CREATED, [(LOCATION, location)], self)
    }
}

fn etag(token: &TokenView) -> [(HeaderName, String); 1] {
    [(ETAG, format!("\"{}\"", token.revision.get()))]
}

impl IntoResponse for TokenResponse {
    fn into_response(self) -> Response {
        (etag(&self.0), Json(self.0)).into_response()
    }
}

impl IntoResponse for IssuedResponse {
    fn into_response(self) -> Response {
        (etag(&self.0.record), Json(self.0)).into_response()
    }
}
