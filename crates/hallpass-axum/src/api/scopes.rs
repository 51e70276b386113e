//! The handlers that add scopes to a token and remove them.

use hallpass_core::Scope;
use serde::Deserialize;
use utoipa::ToSchema;

use super::extract::{Confirmed, TokenPath};
use super::read_all;
use crate::body::Json;
use crate::precondition::IfMatch;
use crate::problem::Problem;
use crate::responses::TokenResponse;
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
    params(TokenPath, IfMatch),
    request_body = MoreScopesBody,
    responses(TokenResponse)
)]
pub(super) async fn add(
    Confirmed(by): Confirmed,
    TokenPath { id }: TokenPath,
    if_match: IfMatch,
    Json(body): Json<MoreScopesBody>,
) -> Result<TokenResponse, Problem> {
    let expected = if_match.expected(&by, id).await?;
    let record = by.hallpass.add_scopes(&by.actor, id, body.scopes, expected).await?;
    Ok(TokenResponse::new(&by.hallpass, &record))
}

/// Scopes to remove: either `scopes` or `all`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FewerScopes)]
pub(crate) struct FewerScopesBody {
    /// Scopes that the token holds.
    #[schema(nullable = false, min_items = 1, max_items = 100)]
    scopes: Option<Vec<ScopeText>>,
    /// `true` removes all of them.
    #[schema(nullable = false)]
    all: Option<bool>,
}

/// Remove scopes from a token.
///
/// A token without scopes allows nothing.
#[utoipa::path(
    post,
    path = "/{id}/scopes/remove",
    operation_id = "removeScopes",
    params(TokenPath, IfMatch),
    request_body = FewerScopesBody,
    responses(TokenResponse)
)]
pub(super) async fn remove(
    Confirmed(by): Confirmed,
    TokenPath { id }: TokenPath,
    if_match: IfMatch,
    Json(body): Json<FewerScopesBody>,
) -> Result<TokenResponse, Problem> {
    let expected = if_match.expected(&by, id).await?;
    let record = match (body.scopes, read_all(body.all)?) {
        (None, true) => by.hallpass.clear_scopes(&by.actor, id, expected).await?,
        (Some(texts), false) if (1..=100).contains(&texts.len()) => {
            let parse = |text: ScopeText| String::from(text).parse::<Scope>();
            let scopes = texts.into_iter().map(parse).collect::<Result<Vec<_>, _>>();
            let scopes = scopes.map_err(Problem::on("scopes"))?;
            by.hallpass.remove_scopes(&by.actor, id, &scopes, expected).await?
        }
        (Some(_), false) => return Err(Problem::invalid("scopes", "1 to 100 scopes")),
        _ => return Err(Problem::invalid("body", "either `scopes` or `\"all\": true`")),
    };
    Ok(TokenResponse::new(&by.hallpass, &record))
}
