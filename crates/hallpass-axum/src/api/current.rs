//! The calls that show and revoke the token that authenticates the request.

use axum::http::StatusCode;
use hallpass_core::Error;

use super::extract::CurrentToken;
use crate::problem::Problem;
use crate::responses::TokenResponse;

/// Show the token of this request.
#[utoipa::path(
    get,
    path = "/current",
    operation_id = "showCurrentToken",
    responses(TokenResponse),
    security(("token" = []))
)]
pub(super) async fn show(by: CurrentToken) -> Result<TokenResponse, Problem> {
    let record = by.hallpass.get(&by.actor, by.id).await.map_err(gone)?;
    Ok(TokenResponse::new(&by.hallpass, &record))
}

/// Revoke the token of this request.
#[utoipa::path(
    delete,
    path = "/current",
    operation_id = "revokeCurrentToken",
    responses((status = 204, description = "The token is revoked.")),
    security(("token" = []))
)]
pub(super) async fn revoke(by: CurrentToken) -> Result<StatusCode, Problem> {
    by.hallpass.revoke(&by.actor, by.id).await.map_err(gone)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Converts the error for a token that was deleted after it was verified: the token is not valid.
fn gone(error: Error) -> Problem {
    match error {
        Error::NotFound => Problem::invalid_token(),
        error => error.into(),
    }
}
