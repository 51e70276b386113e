//! What the handlers extract: who calls, a confirmed change, and the token in the path.

use std::sync::Arc;

use axum::extract::{FromRequestParts, OriginalUri, RawPathParams};
use axum::http::StatusCode;
use axum::http::request::Parts;
use hallpass_core::{Actor, Hallpass, Origin, Principal, Role, TokenId, Verification};
use hallpass_tower::Authorization;

use super::Mount;
use crate::problem::{Kind, Problem};
use crate::step_up::{HEADER, Presented, StepUpSettings};

/// The mount that serves the request, which [`TokenApi`](super::TokenApi) put into the extensions.
fn mount<S: 'static>(parts: &Parts) -> Result<Arc<Mount<S>>, Problem> {
    let detail = "the token API is not set up";
    parts.extensions.get().cloned().ok_or_else(|| Problem::new(Kind::Internal, detail))
}

/// Returns where the request came from, as noted by the middleware around all calls.
fn origin(parts: &Parts) -> Origin {
    parts.extensions.get().cloned().unwrap_or_default()
}

/// Somebody who is signed in.
pub(crate) struct SignedIn {
    pub(crate) hallpass: Hallpass,
    pub(crate) actor: Actor,
}

impl SignedIn {
    /// Rejects an ordinary caller, whatever owner they name, and whether there is such an owner.
    pub(crate) fn require_admin(&self) -> Result<(), Problem> {
        if self.actor.role() == Role::Owner {
            let detail = "only an admin may ask for other people's tokens";
            return Err(Problem::new(Kind::AdminOnly, detail).by(self.actor.id().clone()));
        }
        Ok(())
    }
}

impl<S: Send + Sync + 'static> FromRequestParts<S> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let mount = mount::<S>(parts)?;
        // The host's sign-in may log headers.
        parts.headers.remove(HEADER);
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

/// Somebody who is signed in, and has confirmed the change if the handle asks for that.
///
/// This comes after everything that tells who calls, so that nobody else uses up a caller's attempts,
/// and before anything about tokens is told.
pub(crate) struct Confirmed(pub(crate) SignedIn);

impl<S: Send + Sync + 'static> FromRequestParts<S> for Confirmed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let presented = Presented::take(&mut parts.headers);
        let by = SignedIn::from_request_parts(parts, state).await?;
        if let Some(step_up) = by.hallpass.extension::<StepUpSettings>() {
            step_up.check(&by.hallpass, &by.actor, presented).await?;
        }
        Ok(Self(by))
    }
}

/// The token that authenticates the request, for itself.
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
            Authorization::Bearer(text) => verified(&hallpass, text, &origin(parts)).await?,
            Authorization::Malformed => return Err(malformed()),
            Authorization::Absent | Authorization::Foreign => {
                let detail = "this needs a token: send it as `Authorization: Bearer`";
                return Err(Problem::new(Kind::NoCredential, detail));
            }
        };
        drop(hallpass.pending_use(&principal));
        let actor = Actor::try_owner(principal.owner().as_str());
        let actor = actor.map_err(|_| Problem::unavailable())?.with_origin(origin(parts));
        Ok(Self { hallpass, actor, id: principal.token_id() })
    }
}

/// Anybody who does not present a token.
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

/// Returns the principal of a token of ours. A Bearer in another format is somebody else's.
async fn principal(hallpass: &Hallpass, parts: &Parts) -> Result<Option<Principal>, Problem> {
    match Authorization::of(&parts.headers) {
        Authorization::Bearer(text) if hallpass.is_well_formed(text) => {
            verified(hallpass, text, &origin(parts)).await.map(Some)
        }
        Authorization::Malformed => Err(malformed()),
        Authorization::Bearer(_) | Authorization::Absent | Authorization::Foreign => Ok(None),
    }
}

/// Verifies a token. This is not a use of it yet: most calls reject it.
async fn verified(hallpass: &Hallpass, text: &[u8], origin: &Origin) -> Result<Principal, Problem> {
    Ok(match hallpass.verify_from(text, origin) {
        Verification::Decided(verdict) => verdict,
        Verification::Pending(check) => check.resolve().await,
    }?)
}

fn malformed() -> Problem {
    let detail = "send one token, once, as `Authorization: Bearer` and a single space";
    Problem::new(Kind::InvalidRequest, detail)
}

impl<S> Mount<S> {
    /// Asks the host's sign-in who calls.
    async fn caller(&self, parts: &mut Parts, state: &S) -> Result<Actor, Problem> {
        match (self.authenticator)(parts, state).await {
            Ok(caller) => caller.ok_or_else(Problem::no_caller),
            Err(response) if response.status().is_server_error() => {
                tracing::error!(
                    target: "hallpass",
                    status = response.status().as_u16(),
                    "the sign-in given to `TokenApi` failed: nobody can use the token API"
                );
                Err(Problem::unavailable())
            }
            Err(response) if response.status() == StatusCode::FORBIDDEN => {
                Err(Problem::new(Kind::CallerRefused, "the sign-in refused the caller"))
            }
            Err(_) => Err(Problem::no_caller()),
        }
    }
}

/// The token in the path.
///
/// A malformed id is looked up as one that no token has, so that nothing tells it from an unknown one:
/// neither the answer nor the time it takes.
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
        // The host may mount the API below a parameter of the same name. The last one is the API's.
        let own = parameters.iter().flatten().filter(|(name, _)| *name == "id").last();
        let id = own.and_then(|(_, text)| text.parse().ok());
        Ok(Self { id: id.unwrap_or(TokenId::NIL) })
    }
}

/// What leads from the collection to its members, as the client sees it.
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
