//! The host's own word on a confirmation, from axum's own extractors.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use hallpass_core::Actor;

use super::Confirmation;

/// An async function that says whether a confirmation is right: the host's check of a password, as
/// it is.
///
/// It takes the [`Actor`] who wants to change something, the [`Confirmation`] they sent, and up to
/// six arguments more, each [`FromRequestParts`]: `State`, a session, ... The answer is anything
/// that is [`IntoStepUp`]. An extractor that rejects the request is trouble of the host's, as an
/// error is.
///
/// ```
/// use axum::extract::State;
/// use hallpass_axum::{Confirmation, TokenApi};
/// use hallpass_core::{Actor, Hallpass};
/// # use hallpass_memory::MemoryStore;
/// # #[derive(Clone)] struct App;
/// # struct Down;
/// # impl axum::response::IntoResponse for Down {
/// #     fn into_response(self) -> axum::response::Response { axum::http::StatusCode::BAD_GATEWAY.into_response() }
/// # }
/// # impl App {
/// #     async fn is_password_of(&self, _: &str, _: &str) -> Result<bool, Down> { Ok(true) }
/// # }
/// # async fn signed_in() -> Option<Actor> { None }
///
/// async fn by_password(
///     caller: Actor,
///     password: Confirmation,
///     State(app): State<App>,
/// ) -> Result<bool, Down> {
///     app.is_password_of(caller.id().as_str(), password.reveal()).await
/// }
///
/// let hallpass = Hallpass::builder(MemoryStore::new()).build();
/// let api = TokenApi::new(&hallpass, signed_in).confirm(by_password);
/// let app: axum::Router = api.at("/tokens").with_state(App);
/// # let _ = app;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say whether a confirmation is right",
    label = "not an async function of an `Actor`, a `Confirmation` and extractors that answers with a `bool`",
    note = "after the `Actor` and the `Confirmation`, each argument implements `axum::extract::FromRequestParts` for the \
            router's state, and the answer is `bool`, or a `Result` of one whose error is `IntoResponse`"
)]
pub trait Confirm<T, S>: Send + Sync + 'static {
    /// Whether it is right. An error is what the host would have answered.
    fn confirm(
        &self,
        caller: Actor,
        confirmation: Confirmation,
        parts: &mut Parts,
        state: &S,
    ) -> impl Future<Output = Result<bool, Box<Response>>> + Send;
}

/// What a check may answer: whether the confirmation is right, or why that could not be told.
///
/// An error becomes 503, whatever the host would have answered: it is no verdict, so nothing is
/// changed, and it does not count as a wrong confirmation.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say whether a confirmation is right",
    note = "answer with `bool`, or with a `Result` of one whose error is `IntoResponse`"
)]
pub trait IntoStepUp {
    /// Whether it is right, or what the host would have answered.
    ///
    /// # Errors
    ///
    /// The host could not tell.
    fn into_confirmed(self) -> Result<bool, Box<Response>>;
}

impl IntoStepUp for bool {
    fn into_confirmed(self) -> Result<bool, Box<Response>> {
        Ok(self)
    }
}

impl<E: IntoResponse> IntoStepUp for Result<bool, E> {
    fn into_confirmed(self) -> Result<bool, Box<Response>> {
        self.map_err(|error| Box::new(error.into_response()))
    }
}

macro_rules! confirm {
    ($($extractor:ident $value:ident),*) => {
        impl<F, Fut, S, $($extractor,)*> Confirm<($($extractor,)*), S> for F
        where
            F: Fn(Actor, Confirmation, $($extractor),*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output: IntoStepUp> + Send,
            S: Send + Sync,
            $($extractor: FromRequestParts<S> + Send,)*
        {
            async fn confirm(
                &self,
                caller: Actor,
                confirmation: Confirmation,
                parts: &mut Parts,
                state: &S,
            ) -> Result<bool, Box<Response>> {
                // Without extractors neither is looked at.
                let _ = (&parts, state);
                $(let $value = $extractor::from_request_parts(parts, state)
                    .await
                    .map_err(|rejection| Box::new(rejection.into_response()))?;)*
                self(caller, confirmation, $($value),*).await.into_confirmed()
            }
        }
    };
}

confirm!();
confirm!(A a);
confirm!(A a, B b);
confirm!(A a, B b, C c);
confirm!(A a, B b, C c, D d);
confirm!(A a, B b, C c, D d, E e);
confirm!(A a, B b, C c, D d, E e, G g);

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The object-safe twin of [`Confirm`], so that no route carries the check's type.
pub(crate) trait ErasedConfirm<S>: Send + Sync {
    fn confirm<'a>(
        &'a self,
        caller: Actor,
        confirmation: Confirmation,
        parts: &'a mut Parts,
        state: &'a S,
    ) -> BoxFuture<'a, Result<bool, Box<Response>>>;
}

/// A check and the extractors it takes.
pub(crate) struct Asking<C, T>(C, PhantomData<fn() -> T>);

impl<C, T> Asking<C, T> {
    pub(crate) fn new(check: C) -> Self {
        Self(check, PhantomData)
    }
}

impl<C: Confirm<T, S>, T: 'static, S: Sync> ErasedConfirm<S> for Asking<C, T> {
    fn confirm<'a>(
        &'a self,
        caller: Actor,
        confirmation: Confirmation,
        parts: &'a mut Parts,
        state: &'a S,
    ) -> BoxFuture<'a, Result<bool, Box<Response>>> {
        Box::pin(self.0.confirm(caller, confirmation, parts, state))
    }
}
