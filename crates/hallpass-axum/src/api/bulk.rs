//! Several tokens at once: delete and revoke.

use std::collections::HashSet;

use hallpass_core::{ListOptions, TokenId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::Confirmed;
use super::read_all;
use crate::body::Json;
use crate::problem::{Kind, Problem};
use crate::texts::{InstantText, OwnerText};

/// The maximum number of ids in one request.
const MAX_IDS: usize = 100;

/// The ids of a request, both as they were sent and parsed. A malformed id counts as not found.
struct Ids {
    sent: Vec<String>,
    read: Vec<TokenId>,
}

impl Ids {
    fn read(mut sent: Vec<String>) -> Result<Self, Problem> {
        if !(1..=MAX_IDS).contains(&sent.len()) {
            return Err(Problem::invalid("ids", format!("1 to {MAX_IDS} ids")));
        }
        let mut distinct = HashSet::new();
        sent.retain(|text| distinct.insert(text.clone()));
        let read = sent.iter().filter_map(|text| text.parse().ok()).collect();
        Ok(Self { sent, read })
    }

    /// Returns the ids that were not found, as they were sent.
    fn not_found(mut self, missing: &[TokenId]) -> Vec<String> {
        self.sent.retain(|text| text.parse().map_or(true, |id| missing.contains(&id)));
        self.sent
    }
}

/// Tokens to delete: either `ids` or `all`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokensToDelete)]
pub(crate) struct DeleteBody {
    #[schema(nullable = false, min_items = 1, max_items = 100)]
    ids: Option<Vec<String>>,
    /// `true` deletes all of the caller's own tokens.
    #[schema(nullable = false)]
    all: Option<bool>,
}

/// The result of deleting several tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = DeletedTokens)]
pub(crate) struct Deleted {
    /// The number of tokens that were deleted.
    deleted: u64,
    /// The ids that do not exist or that this caller may not see, as they were sent.
    not_found: Vec<String>,
}

/// Delete several tokens.
#[utoipa::path(
    post,
    path = "/delete",
    operation_id = "deleteTokens",
    request_body = DeleteBody,
    responses((status = 200, description = "The result of deleting several tokens.", body = Deleted))
)]
pub(super) async fn delete(
    Confirmed(by): Confirmed,
    Json(body): Json<DeleteBody>,
) -> Result<Json<Deleted>, Problem> {
    let deleted = match (body.ids, read_all(body.all)?) {
        (Some(sent), false) => {
            let sent = Ids::read(sent)?;
            let result = by.hallpass.delete_many(&by.actor, &sent.read).await?;
            let deleted = result.deleted.len() as u64;
            Deleted { deleted, not_found: sent.not_found(&result.not_found) }
        }
        (None, true) => {
            let deleted = by.hallpass.delete_all(&by.actor).await?;
            Deleted { deleted, not_found: Vec::new() }
        }
        _ => return Err(Problem::invalid("body", "either `ids` or `\"all\": true`")),
    };
    Ok(Json(deleted))
}

/// Tokens to revoke: one of `ids`, `all` and `owner`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokensToRevoke)]
pub(crate) struct RevokeBody {
    #[schema(nullable = false, min_items = 1, max_items = 100)]
    ids: Option<Vec<String>>,
    /// `true` revokes all of the caller's own tokens.
    #[schema(nullable = false)]
    all: Option<bool>,
    /// Revokes all tokens of this owner. Only admins may use it.
    #[schema(nullable = false)]
    owner: Option<OwnerText>,
    /// Revokes only tokens whose secret was issued before this instant.
    #[schema(nullable = false)]
    issued_before: Option<InstantText>,
}

/// The result of revoking several tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = RevokedTokens)]
pub(crate) struct Revoked {
    /// The number of tokens that are revoked now.
    revoked: u64,
    /// The ids that do not exist or that this caller may not see, as they were sent.
    not_found: Vec<String>,
}

/// Revoke several tokens.
#[utoipa::path(
    post,
    path = "/revoke",
    operation_id = "revokeTokens",
    request_body = RevokeBody,
    responses((status = 200, description = "The result of revoking several tokens.", body = Revoked))
)]
pub(super) async fn revoke(
    Confirmed(by): Confirmed,
    Json(body): Json<RevokeBody>,
) -> Result<Json<Revoked>, Problem> {
    let RevokeBody { ids, all, owner, issued_before } = body;
    if owner.is_some() {
        by.require_admin()?;
    }
    let before = issued_before.map(|text| text.read("issued_before")).transpose()?;
    let (revoked, not_found) = match (ids, read_all(all)?, owner) {
        (Some(sent), false, None) => {
            let sent = Ids::read(sent)?;
            let result = by.hallpass.revoke_many(&by.actor, &sent.read, before).await?;
            (result.revoked.len() as u64, sent.not_found(&result.not_found))
        }
        (None, true, None) => {
            let detail = "this caller has no tokens of their own";
            let own = by.actor.subject().ok_or_else(|| Problem::new(Kind::NotFound, detail))?;
            (by.hallpass.revoke_owner(&by.actor, own, before).await?, Vec::new())
        }
        (None, false, Some(owner)) => {
            let owner = owner.read()?;
            let tokens = ListOptions::new().owner(owner.clone()).limit(1);
            if by.hallpass.list(&by.actor, &tokens).await?.total == 0 {
                return Err(Problem::new(Kind::NotFound, "this owner has no tokens"));
            }
            (by.hallpass.revoke_owner(&by.actor, &owner, before).await?, Vec::new())
        }
        _ => {
            let message = "one of `ids`, `\"all\": true` and `owner`";
            return Err(Problem::invalid("body", message));
        }
    };
    Ok(Json(Revoked { revoked, not_found }))
}
