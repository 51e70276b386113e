//! One token at a time: issue, show, change, regenerate, copy, revoke, delete.

use axum::http::StatusCode;
use hallpass_core::{Metadata, NewToken, RegenerateOptions, TokenUpdate};
use serde::Deserialize;
use utoipa::ToSchema;

use super::extract::{Confirmed, Parent, SignedIn, TokenPath};
use crate::body::{Json, OptionalJson};
use crate::precondition::IfMatch;
use crate::problem::Problem;
use crate::responses::{CreatedResponse, IssuedResponse, IssuedView, TokenResponse};
use crate::texts::{
    DescriptionText, ExpiresText, GracePeriodText, MetadataMembers, NameText, ScopeText,
};

/// A token to issue.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewToken)]
pub(crate) struct NewTokenBody {
    name: NameText,
    #[schema(nullable = false)]
    description: Option<DescriptionText>,
    /// The scopes of the token. If they are absent or empty, the token allows nothing.
    #[schema(nullable = false, max_items = 100)]
    scopes: Option<Vec<ScopeText>>,
    /// A named set of scopes from `GET /scopes`, in addition to `scopes`.
    #[schema(nullable = false, min_length = 1)]
    preset: Option<String>,
    /// The expiry. If it is absent, the host's default applies.
    #[schema(nullable = false)]
    expires: Option<ExpiresText>,
    #[schema(nullable = false)]
    metadata: Option<MetadataMembers>,
}

/// Issue a token.
#[utoipa::path(
    post,
    path = "/",
    operation_id = "issueToken",
    request_body = NewTokenBody,
    responses((
        status = 201,
        description = "The new token, this once with its secret.",
        body = IssuedView,
        headers(
            ("Location" = String, description = "The token, relative to the request."),
            ("ETag" = String, description = "The revision, for `If-Match`.")
        ),
        links(
            ("show" = (operation_id = "showToken", parameters(("id" = "$response.body#/id")))),
            ("update" = (operation_id = "updateToken", parameters(("id" = "$response.body#/id")))),
            ("delete" = (operation_id = "deleteToken", parameters(("id" = "$response.body#/id"))))
        )
    ))
)]
pub(super) async fn issue(
    Confirmed(by): Confirmed,
    Parent(parent): Parent,
    Json(body): Json<NewTokenBody>,
) -> Result<CreatedResponse, Problem> {
    let mut new = NewToken::named(body.name)
        .description(body.description.map(String::from).unwrap_or_default())
        .scopes(body.scopes.unwrap_or_default());
    if let Some(preset) = body.preset {
        new = new.preset(preset);
    }
    if let Some(expires) = body.expires {
        new = new.expires(String::from(expires));
    }
    if let Some(MetadataMembers(members)) = body.metadata {
        new = new.metadata(Metadata::from_map(members).map_err(Problem::on("metadata"))?);
    }
    let issued = by.hallpass.issue(&by.actor, new).await?;
    Ok(IssuedResponse::new(&by.hallpass, &issued).created(&parent))
}

/// Show a token.
#[utoipa::path(
    get,
    path = "/{id}",
    operation_id = "showToken",
    params(TokenPath),
    responses(TokenResponse)
)]
pub(super) async fn show(
    by: SignedIn,
    TokenPath { id }: TokenPath,
) -> Result<TokenResponse, Problem> {
    let record = by.hallpass.get(&by.actor, id).await?;
    Ok(TokenResponse::new(&by.hallpass, &record))
}

/// The changes to a token. A field that is absent stays as it is.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenChanges)]
pub(crate) struct ChangesBody {
    #[schema(nullable = false)]
    name: Option<NameText>,
    /// The description. An empty one clears it.
    #[schema(nullable = false)]
    description: Option<DescriptionText>,
    /// The scopes that replace those of the token.
    #[schema(nullable = false, max_items = 100)]
    scopes: Option<Vec<ScopeText>>,
    #[schema(nullable = false)]
    expires: Option<ExpiresText>,
    /// Members to set. `null` removes a member; members that are not named stay.
    #[schema(nullable = false)]
    metadata: Option<MetadataMembers>,
}

impl From<ChangesBody> for TokenUpdate {
    fn from(body: ChangesBody) -> Self {
        let mut update = Self::new();
        if let Some(name) = body.name {
            update = update.name(name);
        }
        if let Some(description) = body.description {
            update = update.description(description);
        }
        if let Some(scopes) = body.scopes {
            update = update.scopes(scopes);
        }
        if let Some(expires) = body.expires {
            update = update.expires(String::from(expires));
        }
        if let Some(MetadataMembers(members)) = body.metadata {
            update = update.metadata(members);
        }
        update
    }
}

/// Change a token's name, description, scopes, expiry or metadata.
///
/// If nothing differs, nothing is changed, and the revision stays.
#[utoipa::path(
    patch,
    path = "/{id}",
    operation_id = "updateToken",
    params(TokenPath, IfMatch),
    request_body = ChangesBody,
    responses(TokenResponse)
)]
pub(super) async fn update(
    Confirmed(by): Confirmed,
    TokenPath { id }: TokenPath,
    if_match: IfMatch,
    Json(body): Json<ChangesBody>,
) -> Result<TokenResponse, Problem> {
    let expected = if_match.expected(&by, id).await?;
    let record = by.hallpass.update(&by.actor, id, body.into(), expected).await?;
    Ok(TokenResponse::new(&by.hallpass, &record))
}

/// Delete a token.
#[utoipa::path(
    delete,
    path = "/{id}",
    operation_id = "deleteToken",
    params(TokenPath, IfMatch),
    responses((status = 204, description = "The token was deleted."))
)]
pub(super) async fn delete(
    Confirmed(by): Confirmed,
    TokenPath { id }: TokenPath,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let expected = if_match.expected(&by, id).await?;
    by.hallpass.delete(&by.actor, id, expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The options for regenerating a token.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Regeneration)]
pub(crate) struct RegenerateBody {
    /// The expiry, which stays as it is if absent. An expired token needs a new one.
    #[schema(nullable = false)]
    expires: Option<ExpiresText>,
    /// The time for which the previous secret keeps working. It ends early when the new secret is
    /// first used. If it is absent, the previous secret stops working immediately.
    #[schema(nullable = false)]
    grace_period: Option<GracePeriodText>,
}

/// Give a token a new secret.
///
/// The token is active afterwards, whether it was active, expired or revoked.
#[utoipa::path(
    post,
    path = "/{id}/regenerate",
    operation_id = "regenerateToken",
    params(TokenPath, IfMatch),
    request_body = RegenerateBody,
    responses(IssuedResponse)
)]
pub(super) async fn regenerate(
    Confirmed(by): Confirmed,
    TokenPath { id }: TokenPath,
    if_match: IfMatch,
    OptionalJson(body): OptionalJson<RegenerateBody>,
) -> Result<IssuedResponse, Problem> {
    let expected = if_match.expected(&by, id).await?;
    let mut options = RegenerateOptions::new().if_revision(expected);
    if let Some(expires) = body.expires {
        options = options.expires(String::from(expires));
    }
    if let Some(grace_period) = body.grace_period {
        options = options.grace_period(String::from(grace_period));
    }
    let issued = by.hallpass.regenerate(&by.actor, id, options).await?;
    Ok(IssuedResponse::new(&by.hallpass, &issued))
}

/// End a token's grace period.
///
/// The previous secret stops working immediately.
#[utoipa::path(
    delete,
    path = "/{id}/previous-secret",
    operation_id = "endGracePeriod",
    params(TokenPath),
    responses(TokenResponse)
)]
pub(super) async fn end_grace_period(
    Confirmed(by): Confirmed,
    TokenPath { id }: TokenPath,
) -> Result<TokenResponse, Problem> {
    let record = by.hallpass.end_grace_period(&by.actor, id).await?;
    Ok(TokenResponse::new(&by.hallpass, &record))
}

/// An empty object.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Nothing)]
pub(crate) struct NothingBody {}

/// Revoke a token.
///
/// Revoking a revoked token changes nothing.
#[utoipa::path(
    post,
    path = "/{id}/revoke",
    operation_id = "revokeToken",
    params(TokenPath),
    request_body = NothingBody,
    responses(TokenResponse)
)]
pub(super) async fn revoke(
    Confirmed(by): Confirmed,
    TokenPath { id }: TokenPath,
    OptionalJson(NothingBody {}): OptionalJson<NothingBody>,
) -> Result<TokenResponse, Problem> {
    let record = by.hallpass.revoke(&by.actor, id).await?;
    Ok(TokenResponse::new(&by.hallpass, &record))
}

/// Copy a token.
///
/// The new token has the same name, description, scopes, metadata and expiry, except for the fields
/// of the body.
#[utoipa::path(
    post,
    path = "/{id}/copy",
    operation_id = "copyToken",
    params(TokenPath),
    request_body = ChangesBody,
    responses((
        status = 201,
        description = "The new token, this once with its secret.",
        body = IssuedView,
        headers(
            ("Location" = String, description = "The token, relative to the request."),
            ("ETag" = String, description = "The revision, for `If-Match`.")
        )
    ))
)]
pub(super) async fn copy(
    Confirmed(by): Confirmed,
    TokenPath { id }: TokenPath,
    OptionalJson(different): OptionalJson<ChangesBody>,
) -> Result<CreatedResponse, Problem> {
    let issued = by.hallpass.copy(&by.actor, id, different.into()).await?;
    Ok(IssuedResponse::new(&by.hallpass, &issued).created("../"))
}
