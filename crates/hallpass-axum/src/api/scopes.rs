//! What a token may do: more or less.

use axum::response::Response;
use hallpass_core::{Scope, ScopeError};
use serde::Deserialize;
use utoipa::ToSchema;

use super::extract::{Confirmed, Id};
use super::read_all;
use crate::body::{Json, present};
use crate::precondition::{IfMatch, Precondition};
use crate::problem::Problem;
use crate::responses::{self, TokenView};
use crate::texts::ScopeText;

/// Scopes to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MoreScopes)]
pub(crate) struct MoreScopesBody {
    #[schema(max_items = 100)]
    scopes: Vec<ScopeText>,
}

/// Add scopes to a token.
#[utoipa::path(
    post,
    path = "/{id}/scopes",
    operation_id = "addScopes",
    params(("id" = String, Path, format = "uuid", description = "The token's id."), IfMatch),
    request_body = MoreScopesBody,
    responses((status = 200, description = "The token as it is now.", body = TokenView, headers(("ETag" = String, description = "The revision, for `If-Match`.")))),
    security(("session" = []))
)]
pub(super) async fn add(
    Confirmed(by): Confirmed,
    Id(id): Id,
    precondition: Precondition,
    Json(body): Json<MoreScopesBody>,
) -> Result<Response, Problem> {
    let expected = precondition.expected(&by.hallpass, &by.actor, id).await?;
    let record = by.hallpass.add_scopes(&by.actor, id, body.scopes, expected).await?;
    Ok(responses::token(&by.hallpass, &record))
}

/// Scopes to remove: either `scopes` or `all`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FewerScopes)]
pub(crate) struct FewerScopesBody {
    /// Scopes that the token holds.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false, min_items = 1, max_items = 100)]
    scopes: Option<Vec<ScopeText>>,
    /// `true` removes all of them.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    all: Option<bool>,
}

/// Remove scopes from a token.
///
/// Without scopes, a token may do nothing.
#[utoipa::path(
    post,
    path = "/{id}/scopes/remove",
    operation_id = "removeScopes",
    params(("id" = String, Path, format = "uuid", description = "The token's id."), IfMatch),
    request_body = FewerScopesBody,
    responses((status = 200, description = "The token as it is now.", body = TokenView, headers(("ETag" = String, description = "The revision, for `If-Match`.")))),
    security(("session" = []))
)]
pub(super) async fn remove(
    Confirmed(by): Confirmed,
    Id(id): Id,
    precondition: Precondition,
    Json(body): Json<FewerScopesBody>,
) -> Result<Response, Problem> {
    let expected = precondition.expected(&by.hallpass, &by.actor, id).await?;
    let record = match (body.scopes, read_all(body.all)?) {
        (None, true) => by.hallpass.clear_scopes(&by.actor, id, expected).await?,
        (Some(texts), false) if (1..=100).contains(&texts.len()) => {
            let parse = |text: ScopeText| String::from(text).parse();
            let scopes = texts.into_iter().map(parse).collect::<Result<Vec<Scope>, _>>();
            let scopes = scopes
                .map_err(|error: ScopeError| Problem::invalid("scopes", error.to_string()))?;
            by.hallpass.remove_scopes(&by.actor, id, &scopes, expected).await?
        }
        (Some(_), false) => return Err(Problem::invalid("scopes", "1 to 100 scopes")),
        _ => return Err(Problem::invalid("body", "either `scopes` or `\"all\": true`")),
    };
    Ok(responses::token(&by.hallpass, &record))
}
