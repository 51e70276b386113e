//! The host's check of a confirmation, as an async function of axum's extractors.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use hallpass_core::Actor;

use super::Confirmation;

/// An async function that checks a confirmation, such as the caller's password.
///
/// It takes the [`Actor`] who wants to change something, the [`Confirmation`] that they sent, and up to
/// six more arguments, each [`FromRequestParts<()>`](FromRequestParts): a session, headers, an
/// `Extension`. It returns anything that is [`IntoStepUp`]. If an extractor rejects the request, the
/// check has failed for a reason of the host's, like an error. The check belongs to the handle and serves
/// every mount, so it captures the application's state instead of extracting it.
///
/// ```
/// use hallpass_axum::{Confirmation, HallpassBuilderExt, TokenApi};
/// use hallpass_core::{Actor, Hallpass};
/// # use hallpass_memory::MemoryStore;
/// # #[derive(Clone)] struct People;
/// # impl People { async fn is_password_of(&self, _: &str, _: &str) -> bool { true } }
/// # async fn signed_in() -> Option<Actor> { None }
///
/// let people = People;
/// let hallpass = Hallpass::builder(MemoryStore::new())
///     .step_up(move |actor: Actor, password: Confirmation| {
///         let people = people.clone();
///         async move { people.is_password_of(actor.id().as_str(), password.reveal()).await }
///     })
///     .build();
/// let app: axum::Router = TokenApi::new(&hallpass, signed_in).into_router_at("/tokens");
/// # let _ = app;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not check a confirmation",
    label = "not an async function of an `Actor`, a `Confirmation` and extractors that returns a `bool`",
    note = "after the `Actor` and the `Confirmation`, each argument implements \
            `axum::extract::FromRequestParts<()>`, and the answer is `bool`, or a `Result` of one whose \
            error is `IntoResponse`"
)]
pub trait StepUp<T>: Send + Sync + 'static {
    /// Checks the confirmation. An error is the response that the host would have sent.
    fn confirm(
        &self,
        actor: Actor,
        confirmation: Confirmation,
        parts: &mut Parts,
    ) -> impl Future<Output = Result<bool, Box<Response>>> + Send;
}

/// What a check may return: whether the confirmation is right, or an error.
///
/// An error becomes a 503, whatever response the host made of it: nothing is changed, and it does not
/// count as a wrong confirmation.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say whether a confirmation is right",
    note = "answer with `bool`, or with a `Result` of one whose error is `IntoResponse`"
)]
pub trait IntoStepUp {
    /// Converts the answer.
    ///
    /// # Errors
    ///
    /// Returns the response of the host's error if the confirmation could not be checked.
    fn into_step_up(self) -> Result<bool, Box<Response>>;
}

impl IntoStepUp for bool {
    fn into_step_up(self) -> Result<bool, Box<Response>> {
        Ok(self)
    }
}

impl<E: IntoResponse> IntoStepUp for Result<bool, E> {
    fn into_step_up(self) -> Result<bool, Box<Response>> {
        self.map_err(|error| Box::new(error.into_response()))
    }
}

macro_rules! step_up {
    ($($extractor:ident $value:ident),*) => {
        impl<F, Fut, $($extractor,)*> StepUp<($($extractor,)*)> for F
        where
            F: Fn(Actor, Confirmation, $($extractor),*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output: IntoStepUp> + Send,
            $($extractor: FromRequestParts<()> + Send,)*
        {
            async fn confirm(
                &self,
                actor: Actor,
                confirmation: Confirmation,
                parts: &mut Parts,
            ) -> Result<bool, Box<Response>> {
                // Without extractors it is not used.
                let _ = &parts;
                $(let $value = $extractor::from_request_parts(parts, &())
                    .await
                    .map_err(|rejection| Box::new(rejection.into_response()))?;)*
                self(actor, confirmation, $($value),*).await.into_step_up()
            }
        }
    };
}

step_up!();
step_up!(A a);
step_up!(A a, B b);
step_up!(A a, B b, C c);
step_up!(A a, B b, C c, D d);
step_up!(A a, B b, C c, D d, E e);
step_up!(A a, B b, C c, D d, E e, G g);

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A check without its type, so that the handle can hold it.
pub(super) type ErasedStepUp = Box<
    dyn for<'a> Fn(Actor, Confirmation, &'a mut Parts) -> BoxFuture<'a, Result<bool, Box<Response>>>
        + Send
        + Sync,
>;

pub(super) fn erase<T: 'static>(check: impl StepUp<T>) -> ErasedStepUp {
    let check = Arc::new(check);
    Box::new(move |actor, confirmation, parts| {
        let check = Arc::clone(&check);
        Box::pin(async move { check.confirm(actor, confirmation, parts).await })
    })
}
