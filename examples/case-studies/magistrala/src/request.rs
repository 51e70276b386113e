//! The parts of a call: who makes it, which PAT it is about, and its body or query.

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Path, Query};
use axum::http::request::Parts;
use hallpass::RejectionResponse;
use hallpass::{Actor, Authenticated, Error, Hallpass, TokenId};

use crate::error::ApiError;

/// The PATs and the person who is signed in.
pub(crate) struct SignedIn {
    pub(crate) pats: Hallpass,
    pub(crate) by: Actor,
}

impl FromRequestParts<Hallpass> for SignedIn {
    type Rejection = RejectionResponse;

    async fn from_request_parts(
        parts: &mut Parts,
        pats: &Hallpass,
    ) -> Result<Self, RejectionResponse> {
        let Authenticated(login) = Authenticated::from_request_parts(parts, pats).await?;
        Ok(Self { pats: pats.clone(), by: Actor::owner(login.owner().as_str()) })
    }
}

/// The PAT that the path names. A malformed id is an id that no PAT has.
pub(crate) struct Id(pub(crate) TokenId);

impl FromRequestParts<Hallpass> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, pats: &Hallpass) -> Result<Self, ApiError> {
        let Path(id) = Path::<String>::from_request_parts(parts, pats)
            .await
            .map_err(|_| ApiError::invalid("the path is not UTF-8"))?;
        Ok(Self(id.parse().map_err(|_| Error::NotFound)?))
    }
}

/// The body, as JSON.
#[derive(FromRequest)]
#[from_request(via(Json), rejection(ApiError))]
pub(crate) struct Body<T>(pub(crate) T);

/// The query.
#[derive(FromRequestParts)]
#[from_request(via(Query), rejection(ApiError))]
pub(crate) struct Params<T>(pub(crate) T);
