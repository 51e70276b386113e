//! Authenticator calls the management API: the host's own word, from axum's own extractors.

use std::future::Future;
use std::pin::Pin;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use hallpass_core::Actor;

/// An async function of extractors that says who calls: the host's sign-in, as it is.
///
/// Up to eight arguments, each [`FromRequestParts`]: `State`, a session, a cookie jar, the
/// request's [`Parts`]. The answer is anything that is [`IntoActor`]. An extractor that rejects the
/// request has found nobody.
///
/// ```
/// use axum::http::request::Parts;
/// use hallpass_axum::TokenApi;
/// use hallpass_core::{Actor, Hallpass};
/// # use hallpass_memory::MemoryStore;
///
/// async fn signed_in(parts: Parts) -> Option<Actor> {
///     let person = parts.extensions.get::<Person>()?;
///     Some(if person.is_admin { Actor::admin(&person.id) } else { Actor::owner(&person.id) })
/// }
/// # #[derive(Clone)] struct Person { id: String, is_admin: bool }
///
/// let hallpass = Hallpass::builder(MemoryStore::new()).build();
/// let app: axum::Router = TokenApi::new(&hallpass, signed_in).into_router_at("/tokens");
/// # let _ = app;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say who calls",
    label = "not an async function of extractors that answers with an `Actor`",
    note = "each argument implements `axum::extract::FromRequestParts` for the router's state, and the answer is \
            `Actor`, `Option<Actor>`, or a `Result` of one of them whose error is `IntoResponse`"
)]
pub trait Authenticator<T, S>: Send + Sync + 'static {
    /// Authenticator calls; `None` if nobody is signed in. An error is what the host would have answered.
    fn authenticate(
        &self,
        parts: &mut Parts,
        state: &S,
    ) -> impl Future<Output = Result<Option<Actor>, Box<Response>>> + Send;
}

/// What a sign-in may answer: a caller, perhaps one, or why neither could be told.
///
/// An error becomes a problem of the API's own, whatever the host would have answered: 403 stays
/// 403, a server error is 503, and everything else (401, a redirect to a login page, ...) is 401.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a caller",
    note = "answer with `Actor`, `Option<Actor>`, or a `Result` of one of them whose error is `IntoResponse`"
)]
pub trait IntoActor {
    /// The caller, nobody, or what the host would have answered.
    ///
    /// # Errors
    ///
    /// The host could not, or would not, tell.
    fn into_actor(self) -> Result<Option<Actor>, Box<Response>>;
}

impl IntoActor for Actor {
    fn into_actor(self) -> Result<Option<Actor>, Box<Response>> {
        Ok(Some(self))
    }
}

impl IntoActor for Option<Actor> {
    fn into_actor(self) -> Result<Option<Actor>, Box<Response>> {
        Ok(self)
    }
}

impl<T: IntoActor, E: IntoResponse> IntoActor for Result<T, E> {
    fn into_actor(self) -> Result<Option<Actor>, Box<Response>> {
        self.map_err(|error| Box::new(error.into_response()))?.into_actor()
    }
}

macro_rules! authenticator {
    ($($extractor:ident $value:ident),*) => {
        impl<F, Fut, S, $($extractor,)*> Authenticator<($($extractor,)*), S> for F
        where
            F: Fn($($extractor),*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output: IntoActor> + Send,
            S: Send + Sync,
            $($extractor: FromRequestParts<S> + Send,)*
        {
            async fn authenticate(
                &self,
                parts: &mut Parts,
                state: &S,
            ) -> Result<Option<Actor>, Box<Response>> {
                // Without extractors neither is looked at.
                let _ = (&parts, state);
                $(let $value = $extractor::from_request_parts(parts, state)
                    .await
                    .map_err(|rejection| Box::new(rejection.into_response()))?;)*
                self($($value),*).await.into_actor()
            }
        }
    };
}

authenticator!();
authenticator!(A a);
authenticator!(A a, B b);
authenticator!(A a, B b, C c);
authenticator!(A a, B b, C c, D d);
authenticator!(A a, B b, C c, D d, E e);
authenticator!(A a, B b, C c, D d, E e, G g);
authenticator!(A a, B b, C c, D d, E e, G g, H h);
authenticator!(A a, B b, C c, D d, E e, G g, H h, I i);

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The object-safe twin of [`Authenticator`], so that no route carries the sign-in's type.
pub(crate) trait ErasedAuthenticator<S>: Send + Sync {
    fn authenticate<'a>(
        &'a self,
        parts: &'a mut Parts,
        state: &'a S,
    ) -> BoxFuture<'a, Result<Option<Actor>, Box<Response>>>;
}

/// A sign-in and the extractors it takes.
pub(crate) struct Erased<W, T>(W, std::marker::PhantomData<fn() -> T>);

impl<W, T> Erased<W, T> {
    pub(crate) fn new(who: W) -> Self {
        Self(who, std::marker::PhantomData)
    }
}

impl<W: Authenticator<T, S>, T: 'static, S: Sync> ErasedAuthenticator<S> for Erased<W, T> {
    fn authenticate<'a>(
        &'a self,
        parts: &'a mut Parts,
        state: &'a S,
    ) -> BoxFuture<'a, Result<Option<Actor>, Box<Response>>> {
        Box::pin(self.0.authenticate(parts, state))
    }
}
