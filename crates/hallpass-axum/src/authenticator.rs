//! The host's sign-in, as an async function of axum's extractors.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use hallpass_core::__private::Throttle;
use hallpass_core::{Actor, Principal};

/// Logs that the host's sign-in has failed, at most once a second, because any client can cause it.
/// `mount` is the type that it was passed to.
#[doc(hidden)]
pub fn report_failed_sign_in(mount: &str, status: StatusCode) {
    static THROTTLE: Throttle = Throttle::new();
    if let Some(count) = THROTTLE.count(1) {
        tracing::error!(
            target: "hallpass",
            status = status.as_u16(),
            count,
            "the sign-in that was passed to `{mount}` failed, so it cannot be used: if a middleware \
             of yours adds what the sign-in reads, put that middleware outside of its router"
        );
    }
}

/// The host's sign-in: an async function of extractors that returns the caller.
///
/// It takes up to eight arguments, each [`FromRequestParts`]: `State`, a session, a cookie jar, the
/// request's [`Parts`].
///
/// For [`TokenApi`](crate::TokenApi) and the dashboard, it returns any type that implements
/// [`IntoActor`]. For [`fallback_with_state`](crate::TokenLayerExt::fallback_with_state), it
/// returns any type that implements [`SignInOutput`]. A function that returns a [`Principal`], an
/// `Option` of one, or a `Result` of either serves both.
///
/// If an extractor rejects the request, the caller is not signed in. There are two exceptions: a
/// server error becomes a 503, and `TokenApi` responds to a 403 with a 403.
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
    message = "`{Self}` is not a sign-in function",
    label = "not an async function of extractors",
    note = "write `async fn(..)` with at most eight arguments, each of which implements `axum::extract::FromRequestParts` for the state, and with a future that is `Send`"
)]
pub trait Authenticator<T, S>: Send + Sync + 'static {
    /// The type that the function returns.
    type Output;

    /// Runs the extractors and the function. An error is the response of the extractor that has
    /// rejected the request.
    fn authenticate(
        &self,
        parts: &mut Parts,
        state: &S,
    ) -> impl Future<Output = Result<Self::Output, Box<Response>>> + Send;
}

/// The types that a sign-in may return: an [`Actor`], an `Option` of one, or a `Result` of either.
///
/// It may also return a [`Principal`], so that one function serves the API and
/// [`TokenLayer::fallback`](hallpass_tower::TokenLayer::fallback). An external principal is an
/// owner who may grant the principal's own scopes. The principal of a token is not a caller,
/// because a token cannot manage tokens.
///
/// An error becomes a problem of the API, according to the status of the host's response: 403 stays
/// 403, a server error is 503, and everything else (401, a redirect to a login page, ...) is 401.
#[diagnostic::on_unimplemented(
    message = "the sign-in function cannot return `{Self}`",
    note = "return `Actor`, `Principal`, an `Option` of one, or a `Result` of these whose error is \
        `IntoResponse`"
)]
pub trait IntoActor {
    /// Converts the returned value.
    ///
    /// # Errors
    ///
    /// Returns the response of the host's error if the sign-in failed.
    fn into_actor(self) -> Result<Option<Actor>, Box<Response>>;
}

impl IntoActor for Actor {
    fn into_actor(self) -> Result<Option<Actor>, Box<Response>> {
        Ok(Some(self))
    }
}

impl IntoActor for Principal {
    fn into_actor(self) -> Result<Option<Actor>, Box<Response>> {
        Ok(self.is_external().then(|| {
            Actor::owner(self.owner().as_str()).with_grantable_scopes(self.scopes().clone())
        }))
    }
}

impl<T: IntoActor> IntoActor for Option<T> {
    fn into_actor(self) -> Result<Option<Actor>, Box<Response>> {
        self.map_or(Ok(None), T::into_actor)
    }
}

impl<T: IntoActor, E: IntoResponse> IntoActor for Result<T, E> {
    fn into_actor(self) -> Result<Option<Actor>, Box<Response>> {
        self.map_err(|error| Box::new(error.into_response()))?.into_actor()
    }
}

/// The types that a sign-in may return to
/// [`fallback_with_state`](crate::TokenLayerExt::fallback_with_state): a [`Principal`], an `Option`
/// of one, or a `Result` of either.
///
/// If the status of an error is a redirect (3xx) or a client error (4xx), the layer sends the error
/// as the response. An error with any other status is replaced by a 503. If the request has a
/// mistyped token, the response is the layer's 401 in every case.
#[diagnostic::on_unimplemented(
    message = "the sign-in function cannot return `{Self}`",
    note = "return `Principal`, `Option<Principal>`, or a `Result` of one of them whose error is \
        `IntoResponse`"
)]
pub trait SignInOutput {
    /// Converts the returned value.
    ///
    /// # Errors
    ///
    /// Returns the response of the host's error.
    fn into_principal(self) -> Result<Option<Principal>, Box<Response>>;
}

impl SignInOutput for Principal {
    fn into_principal(self) -> Result<Option<Principal>, Box<Response>> {
        Ok(Some(self))
    }
}

impl SignInOutput for Option<Principal> {
    fn into_principal(self) -> Result<Option<Principal>, Box<Response>> {
        Ok(self)
    }
}

impl<T: SignInOutput, E: IntoResponse> SignInOutput for Result<T, E> {
    fn into_principal(self) -> Result<Option<Principal>, Box<Response>> {
        self.map_err(|error| Box::new(error.into_response()))?.into_principal()
    }
}

macro_rules! authenticator {
    ($($extractor:ident $value:ident),*) => {
        impl<F, Fut, S, $($extractor,)*> Authenticator<($($extractor,)*), S> for F
        where
            F: Fn($($extractor),*) -> Fut + Send + Sync + 'static,
            Fut: Future + Send,
            S: Send + Sync,
            $($extractor: FromRequestParts<S> + Send,)*
        {
            type Output = Fut::Output;

            async fn authenticate(
                &self,
                parts: &mut Parts,
                state: &S,
            ) -> Result<Fut::Output, Box<Response>> {
                // A function without extractors uses neither the parts nor the state.
                let _ = (&parts, state);
                $(let $value = $extractor::from_request_parts(parts, state)
                    .await
                    .map_err(|rejection| Box::new(rejection.into_response()))?;)*
                Ok(self($($value),*).await)
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

/// An authenticator with its type erased, so that routes are not generic over it.
pub(crate) type BoxedAuthenticator<S> = Box<
    dyn for<'a> Fn(&'a mut Parts, &'a S) -> BoxFuture<'a, Result<Option<Actor>, Box<Response>>>
        + Send
        + Sync,
>;

pub(crate) fn boxed<A, T, S: Sync>(authenticator: A) -> BoxedAuthenticator<S>
where
    A: Authenticator<T, S, Output: IntoActor>,
{
    let authenticator = Arc::new(authenticator);
    Box::new(move |parts, state| {
        let authenticator = Arc::clone(&authenticator);
        Box::pin(async move { authenticator.authenticate(parts, state).await?.into_actor() })
    })
}
