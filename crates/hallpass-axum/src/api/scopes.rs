//! What a token may do: more, less, or nothing any more.

use serde::Deserialize;
use utoipa::ToSchema;

use super::input::{By, HeldScope, Id, Json};
use super::reply::Shown;
use crate::precondition::Precondition;
use crate::problem::Problem;
use crate::texts::ScopeText;

/// Scopes to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MoreScopes)]
pub(crate) struct MoreScopesBody {
    #[schema(max_items = 100)]
    scopes: Vec<ScopeText>,
}

pub(super) async fn add(
    by: By,
    Id(id): Id,
    precondition: Precondition,
    Json(body): Json<MoreScopesBody>,
) -> Result<Shown, Problem> {
    let expected = precondition.expected(&by.hallpass, &by.caller, id).await?;
    let record = by.hallpass.add_scopes(&by.caller, id, body.scopes, expected).await?;
    Ok(Shown::new(&by.hallpass, &record))
}

pub(super) async fn remove(
    by: By,
    Id(id): Id,
    HeldScope(scope): HeldScope,
    precondition: Precondition,
) -> Result<Shown, Problem> {
    let expected = precondition.expected(&by.hallpass, &by.caller, id).await?;
    let record = by.hallpass.remove_scopes(&by.caller, id, &[scope], expected).await?;
    Ok(Shown::new(&by.hallpass, &record))
}

pub(super) async fn clear(
    by: By,
    Id(id): Id,
    precondition: Precondition,
) -> Result<Shown, Problem> {
    let expected = precondition.expected(&by.hallpass, &by.caller, id).await?;
    let record = by.hallpass.clear_scopes(&by.caller, id, expected).await?;
    Ok(Shown::new(&by.hallpass, &record))
}
