//! What happens to every request: who it is is found out, whether it may be, and then it is done.

use std::pin::Pin;
use std::sync::Arc;

use axum::extract::Request;
use axum::handler::Handler;
use axum::http::StatusCode;
use axum::http::header::COOKIE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use hallpass_core::{Actor, Principal, Role, Verification};
use hallpass_tower::Authorization;

use super::Shared;
use super::input::{Call, NEEDS_TOKEN};
use super::operation::{Access, Operation};
use crate::caller::ErasedWho;
use crate::confirm::{Confirming, Presented};
use crate::cross_site;
use crate::headers;
use crate::problem::{Kind, Problem};

/// An operation in its place.
pub(crate) struct Endpoint<S> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) who: Arc<dyn ErasedWho<S>>,
    pub(crate) confirming: Option<Arc<Confirming<S>>>,
    pub(crate) operation: Arc<Operation>,
}

impl<S> Clone for Endpoint<S> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            who: Arc::clone(&self.who),
            confirming: self.confirming.clone(),
            operation: Arc::clone(&self.operation),
        }
    }
}

impl<S: Clone + Send + Sync + 'static> Handler<(), S> for Endpoint<S> {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, state: S) -> Self::Future {
        Box::pin(async move {
            let answer = self.answer(request, &state).await;
            headers::finish(answer.unwrap_or_else(IntoResponse::into_response))
        })
    }
}

impl<S> Endpoint<S> {
    async fn answer(&self, request: Request, state: &S) -> Result<Response, Problem> {
        let (mut parts, body) = request.into_parts();
        // Before the host's sign-in sees the headers, which it may log.
        let asks = self.confirming.is_some();
        let presented = asks.then(|| Presented::take(&mut parts.headers));
        let mut call = Call {
            shared: Arc::clone(&self.shared),
            parts,
            body,
            caller: None,
            token: None,
            path: self.operation.path,
        };
        self.admit(&mut call, state).await?;
        if let Some(presented) = presented {
            self.confirm(&mut call, presented, state).await?;
        }
        self.operation.run(call).await
    }

    /// Finds out who calls, and whether they may. Nothing of the body has been read yet.
    async fn admit(&self, call: &mut Call, state: &S) -> Result<(), Problem> {
        let principal = self.principal(&call.parts).await?;
        match (self.operation.access, principal) {
            (Access::Token, Some(principal)) => {
                drop(self.shared.hallpass.pending_use(&principal));
                call.caller = Actor::try_owner(principal.owner().as_str()).ok();
                call.token = Some(principal.token_id());
                // No other site can make a browser send the header, so there is nothing else to ask.
                return Ok(());
            }
            (Access::Token, None) => return Err(Problem::new(Kind::NoCredential, NEEDS_TOKEN)),
            (_, Some(_)) => {
                let detail = "a token manages no tokens; `/current` is all it may ask about";
                return Err(Problem::new(Kind::TokenNotAllowed, detail));
            }
            (Access::Anyone, None) => {}
            (Access::Actor | Access::Admin, None) => {
                call.caller = Some(self.caller(&mut call.parts, state).await?);
            }
        }
        if self.operation.method.changes() {
            cross_site::check(&call.parts, &self.shared.trusted)?;
        }
        let ordinary = call.caller.as_ref().is_none_or(|caller| caller.role() == Role::Owner);
        if self.operation.access == Access::Admin && ordinary {
            return Err(Problem::new(Kind::AdminOnly, "only an admin may do this"));
        }
        Ok(())
    }

    /// Has a change confirmed by whoever is signed in. That comes after everything that can be told
    /// of who calls, so that no other site spends anybody's attempts, and before anything that can
    /// be told of tokens.
    async fn confirm(
        &self,
        call: &mut Call,
        presented: Presented,
        state: &S,
    ) -> Result<(), Problem> {
        let Some(confirming) = &self.confirming else { return Ok(()) };
        if !self.operation.needs_confirmation() {
            return Ok(());
        }
        let caller = call.caller.as_ref().ok_or_else(Problem::no_caller)?;
        let hallpass = &call.shared.hallpass;
        confirming.check(hallpass, caller, presented, &mut call.parts, state).await
    }

    /// The principal of a token in the `Authorization` header. It is never looked for elsewhere.
    async fn principal(&self, parts: &Parts) -> Result<Option<Principal>, Problem> {
        let malformed = |detail| Err(Problem::new(Kind::InvalidRequest, detail));
        match Authorization::of(&parts.headers) {
            Authorization::Absent | Authorization::Foreign => Ok(None),
            Authorization::Malformed => {
                malformed("send one token, once, as `Authorization: Bearer` and a single space")
            }
            Authorization::Bearer(_) if parts.headers.contains_key(COOKIE) => {
                malformed("send a token or a cookie, not both")
            }
            // No use of the token yet: most calls refuse it.
            Authorization::Bearer(token) => Ok(Some(match self.shared.hallpass.verify(token) {
                Verification::Decided(verdict) => verdict,
                Verification::Pending(check) => check.resolve().await,
            }?)),
        }
    }

    /// Whom the host's sign-in names.
    async fn caller(&self, parts: &mut Parts, state: &S) -> Result<Actor, Problem> {
        match self.who.who(parts, state).await {
            Ok(caller) => caller.ok_or_else(Problem::no_caller),
            Err(said) if said.status().is_server_error() => {
                tracing::error!(
                    target: "hallpass",
                    status = said.status().as_u16(),
                    "the sign-in given to `TokenApi` failed: nobody can use the token API"
                );
                Err(Problem::unavailable())
            }
            Err(said) if said.status() == StatusCode::FORBIDDEN => {
                Err(Problem::new(Kind::CallerRefused, "the sign-in refused the caller"))
            }
            Err(_) => Err(Problem::no_caller()),
        }
    }
}
