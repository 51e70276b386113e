//! The extractors of the handlers: the caller, a confirmed change, and the token in the path.
//!
//! The order of the checks decides what a response discloses, and what a caller can do to others:
//!
//! 1. The confirmation is removed from the headers before the host's sign-in runs, so that the
//!    sign-in cannot log it.
//! 2. A token is rejected before the caller is used. A request with both a token and a session is
//!    an error, because it would be unclear which of them makes the change.
//! 3. The caller is determined before the confirmation is checked. So a request that is not signed
//!    in cannot use up the attempts of a caller.
//! 4. The confirmation is checked before the token in the path is looked up. So without a
//!    confirmation, a response does not disclose whether a token exists.

use std::sync::Arc;

use axum::extract::{FromRequestParts, OriginalUri, RawPathParams};
use axum::http::StatusCode;
use axum::http::request::Parts;
use hallpass_core::{Actor, Hallpass, Origin, Principal, Role, TokenId, Verification};
use hallpass_tower::{
    Authorization, CredentialSource, PrincipalExt as _, RejectionKind, token_principal,
};

use super::Mount;
use crate::authenticator::report_failed_sign_in;
use crate::problem::{Kind, Problem};
use crate::step_up::{Confirmation, HEADER, StepUpSettings};

/// Returns the mount that serves the request. [`TokenApi`](super::TokenApi) has inserted it into
/// the extensions.
fn mount<S: 'static>(parts: &Parts) -> Result<Arc<Mount<S>>, Problem> {
    let detail = "the token API is not set up: mount it with `TokenApi::into_router_at`";
    parts.extensions.get().cloned().ok_or_else(|| Problem::new(Kind::Internal, detail))
}

/// Returns the origin of the request, which the middleware around all calls has recorded.
fn origin(parts: &Parts) -> Origin {
    parts.extensions.get().cloned().unwrap_or_default()
}

/// An extractor of a signed-in caller.
pub(crate) struct SignedIn {
    pub(crate) hallpass: Hallpass,
    pub(crate) actor: Actor,
}

impl SignedIn {
    /// Rejects a caller who is not an admin. The response does not depend on the owner that they
    /// name, or on whether this owner exists.
    pub(crate) fn require_admin(&self) -> Result<(), Problem> {
        if self.actor.role() == Role::Owner {
            let detail = "only an admin may access the tokens of other owners";
            return Err(Problem::new(Kind::AdminOnly, detail).by(self.actor.id().clone()));
        }
        Ok(())
    }
}

impl<S: Send + Sync + 'static> FromRequestParts<S> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let mount = mount::<S>(parts)?;
        // The confirmation is removed first, because the host's sign-in may log headers.
        parts.headers.remove(HEADER);
        // A layer around the API has removed the token from the request, so the host's sign-in
        // might treat the token's owner as signed in.
        if let Some(principal) = token_principal(&parts.extensions, &mount.hallpass) {
            return Err(Problem::token_not_allowed().with_principal(principal));
        }
        let token = principal(&mount.hallpass, parts).await?;
        let caller = mount.caller(parts, state).await;
        if let Some(principal) = token {
            return Err(match caller {
                Ok(_) => Problem::new(Kind::InvalidRequest, "send a token or a session, not both"),
                Err(_) => Problem::token_not_allowed(),
            }
            .with_principal(&principal));
        }
        Ok(Self { hallpass: mount.hallpass.clone(), actor: caller?.with_origin(origin(parts)) })
    }
}

/// An extractor of a signed-in caller who has confirmed the change, if the handle requires a
/// confirmation.
///
/// The confirmation is checked after the caller is known, so that a caller's attempts can be used
/// up only by that caller. It is checked before any token is looked up, so that the response
/// discloses nothing about tokens.
pub(crate) struct Confirmed(pub(crate) SignedIn);

impl<S: Send + Sync + 'static> FromRequestParts<S> for Confirmed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let confirmation = Confirmation::take(&mut parts.headers);
        let by = SignedIn::from_request_parts(parts, state).await?;
        if let Some(step_up) = by.hallpass.extension::<StepUpSettings>() {
            let checked = step_up.check(&by.hallpass, &by.actor, confirmation).await;
            checked.map_err(|problem| problem.by(by.actor.id().clone()))?;
        }
        Ok(Self(by))
    }
}

/// An extractor of the token that authenticates the request, for calls about that token.
pub(crate) struct CurrentToken {
    pub(crate) hallpass: Hallpass,
    pub(crate) actor: Actor,
    pub(crate) id: TokenId,
}

impl<S: Send + Sync + 'static> FromRequestParts<S> for CurrentToken {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let hallpass = mount::<S>(parts)?.hallpass.clone();
        let principal = match Authorization::of(&parts.headers) {
            Authorization::Bearer(text) => {
                let principal = verified(&hallpass, text, &origin(parts)).await?;
                // Dropping a pending use records it.
                drop(hallpass.pending_use(&principal));
                principal
            }
            Authorization::Malformed => return Err(malformed()),
            Authorization::Absent | Authorization::OtherScheme => {
                let known = bearer_principal(parts, &hallpass).ok_or_else(|| {
                    Problem::new(Kind::NoCredential, RejectionKind::NoCredential.detail())
                })?;
                known.clone()
            }
        };
        let actor = Actor::try_owner(principal.owner().as_str());
        let actor = actor.map_err(|_| Problem::unavailable())?.with_origin(origin(parts));
        // Only a principal of the host's own sign-in has no token id.
        let id = principal.token_id().ok_or_else(Problem::unavailable)?;
        Ok(Self { hallpass, actor, id })
    }
}

/// Returns the principal of a Bearer token that a layer around the API has already checked,
/// recorded and removed.
fn bearer_principal<'p>(parts: &'p Parts, hallpass: &Hallpass) -> Option<&'p Principal> {
    let principal = token_principal(&parts.extensions, hallpass)?;
    let is_bearer = parts.credential_source() == Some(&CredentialSource::bearer());
    is_bearer.then_some(principal)
}

/// An extractor for calls that anyone may make without a token.
pub(crate) struct WithoutToken;

impl<S: Send + Sync + 'static> FromRequestParts<S> for WithoutToken {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match principal(&mount::<S>(parts)?.hallpass, parts).await? {
            None => Ok(Self),
            Some(principal) => Err(Problem::token_not_allowed().with_principal(&principal)),
        }
    }
}

/// Returns the principal of a token of this application, also if a layer around the API has already
/// checked and removed the token. A Bearer credential in another format is ignored, because it may
/// belong to the host.
async fn principal(hallpass: &Hallpass, parts: &Parts) -> Result<Option<Principal>, Problem> {
    if let Some(known) = token_principal(&parts.extensions, hallpass) {
        return Ok(Some(known.clone()));
    }
    match Authorization::of(&parts.headers) {
        Authorization::Bearer(text) if hallpass.is_well_formed(text) => {
            verified(hallpass, text, &origin(parts)).await.map(Some)
        }
        Authorization::Malformed => Err(malformed()),
        Authorization::Bearer(_) | Authorization::Absent | Authorization::OtherScheme => Ok(None),
    }
}

/// Verifies a token. This does not record a use of it, because most calls reject tokens.
async fn verified(hallpass: &Hallpass, text: &[u8], origin: &Origin) -> Result<Principal, Problem> {
    Ok(match hallpass.verify_from(text, origin) {
        Verification::Decided(verdict) => verdict,
        Verification::Pending(check) => check.resolve().await,
    }?)
}

fn malformed() -> Problem {
    Problem::new(Kind::InvalidRequest, RejectionKind::InvalidRequest.detail())
}

impl<S> Mount<S> {
    /// Runs the host's sign-in to find the caller.
    async fn caller(&self, parts: &mut Parts, state: &S) -> Result<Actor, Problem> {
        match (self.authenticator)(parts, state).await {
            Ok(caller) => caller.ok_or_else(Problem::no_caller),
            Err(response) if response.status().is_server_error() => {
                report_failed_sign_in("TokenApi", response.status());
                Err(Problem::unavailable())
            }
            Err(response) if response.status() == StatusCode::FORBIDDEN => {
                Err(Problem::new(Kind::CallerRejected, "the sign-in rejected the caller"))
            }
            Err(_) => Err(Problem::no_caller()),
        }
    }
}

/// An extractor of the token in the path.
///
/// A malformed id is looked up as the nil id, which no token has. So neither the response nor its
/// timing distinguishes it from an unknown id.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct TokenPath {
    /// The token's id.
    #[param(value_type = String, format = "uuid")]
    pub(crate) id: TokenId,
}

impl<S: Sync> FromRequestParts<S> for TokenPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let parameters = RawPathParams::from_request_parts(parts, &()).await.ok();
        // The host may mount the API below a parameter of the same name. The last one belongs to
        // the API.
        let own = parameters.iter().flatten().filter(|(name, _)| *name == "id").last();
        let id = own.and_then(|(_, text)| text.parse().ok());
        Ok(Self { id: id.unwrap_or(TokenId::NIL) })
    }
}

/// The relative path from the collection to its members, as the client sees it.
pub(crate) struct Parent(pub(crate) String);

impl<S: Sync> FromRequestParts<S> for Parent {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let original = parts.extensions.get::<OriginalUri>();
        let path = original.map_or(&parts.uri, |uri| &uri.0).path();
        Ok(Self(match path.rsplit_once('/') {
            None | Some((_, "")) => "./".to_owned(),
            Some((_, last)) => format!("./{last}/"),
        }))
    }
}
