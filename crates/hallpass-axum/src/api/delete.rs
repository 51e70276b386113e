//! Removing tokens for good: one, several, or all of the caller's own.

use std::collections::HashSet;

use hallpass_core::TokenId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::input::{By, Id, Json};
use super::reply::{Done, Value};
use crate::precondition::Precondition;
use crate::problem::Problem;

/// The most tokens that one request removes by their ids.
const MAX_IDS: usize = 100;

pub(super) async fn delete(
    by: By,
    Id(id): Id,
    precondition: Precondition,
) -> Result<Done, Problem> {
    let expected = precondition.expected(&by.hallpass, &by.caller, id).await?;
    by.hallpass.delete(&by.caller, id, expected).await?;
    Ok(Done)
}

/// Tokens to remove.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokensToDelete)]
pub(crate) struct IdsBody {
    #[schema(min_items = 1, max_items = 100)]
    ids: Vec<String>,
}

/// What became of them.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeletedTokens {
    /// How many are gone now.
    deleted: usize,
    /// Those that were not there, or are not the caller's, as they were sent.
    not_found: Vec<String>,
}

pub(super) async fn delete_many(
    by: By,
    Json(IdsBody { ids: mut sent }): Json<IdsBody>,
) -> Result<Value<DeletedTokens>, Problem> {
    if !(1..=MAX_IDS).contains(&sent.len()) {
        return Err(Problem::invalid("ids", format!("1 to {MAX_IDS}")));
    }
    let mut seen = HashSet::new();
    sent.retain(|text| seen.insert(text.clone()));
    let id = |text: &String| text.parse::<TokenId>().ok();
    let ids: Vec<_> = sent.iter().filter_map(id).collect();
    let deleted = by.hallpass.delete_many(&by.caller, &ids).await?.deleted;
    sent.retain(|text| id(text).is_none_or(|id| !deleted.contains(&id)));
    Ok(Value(DeletedTokens { deleted: deleted.len(), not_found: sent }))
}

/// How many tokens were removed.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeletedCount {
    deleted: u64,
}

pub(super) async fn delete_all(by: By) -> Result<Value<DeletedCount>, Problem> {
    Ok(Value(DeletedCount { deleted: by.hallpass.delete_all(&by.caller).await? }))
}
