//! Step-up: people confirm every change with a password, a one-time code, or whatever else the host
//! requires. It is a setting of the handle, so every mount requires it, and all mounts share the
//! count of attempts.
//!
//! A stolen session cookie alone then cannot create a token. The host supplies the check, for
//! example of a password, and this module limits how often it is called: see the module `attempts`.
//!
//! A confirmation is never stored, and is valid only for the request that contains it. A token of
//! this application is rejected as a confirmation without calling the check, because a person may
//! have pasted it into the wrong field.

mod attempts;
mod confirmation;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use futures_util::future::BoxFuture;
use hallpass_core::{Actor, Hallpass};

use self::attempts::{Attempts, Verdict};
pub use self::confirmation::Confirmation;
pub(crate) use self::confirmation::HEADER;
use crate::problem::{Kind, Problem};

/// The types that a check of a confirmation may return: a `bool`, which is `true` if the
/// confirmation is right, or a `Result` of one.
///
/// An error becomes a 503, whatever response the host returned. Nothing is changed, and the attempt
/// does not count as a wrong confirmation.
#[diagnostic::on_unimplemented(
    message = "the check of a confirmation cannot return `{Self}`",
    note = "return `bool`, or a `Result` of one whose error is `IntoResponse`"
)]
pub trait IntoStepUp {
    /// Converts the returned value.
    ///
    /// # Errors
    ///
    /// Returns the status of the host's error if the confirmation could not be checked.
    fn into_step_up(self) -> Result<bool, StatusCode>;
}

impl IntoStepUp for bool {
    fn into_step_up(self) -> Result<bool, StatusCode> {
        Ok(self)
    }
}

impl<E: IntoResponse> IntoStepUp for Result<bool, E> {
    fn into_step_up(self) -> Result<bool, StatusCode> {
        self.map_err(|error| error.into_response().status())
    }
}

type CheckFuture = BoxFuture<'static, Result<bool, StatusCode>>;

/// The host's check of confirmations, and the attempts that all management APIs of a handle count
/// together.
pub(crate) struct StepUpSettings {
    check: Box<dyn Fn(Actor, Confirmation) -> CheckFuture + Send + Sync>,
    attempts: Attempts,
}

impl StepUpSettings {
    pub(crate) fn new<F, Fut>(check: F) -> Self
    where
        F: Fn(Actor, Confirmation) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoStepUp> + Send + 'static,
    {
        let check = move |actor, confirmation| -> CheckFuture {
            let result = check(actor, confirmation);
            Box::pin(async move { result.await.into_step_up() })
        };
        Self { check: Box::new(check), attempts: Attempts::default() }
    }

    /// Checks the confirmation of a request, as [`Confirmation::take`] returned it.
    pub(crate) async fn check(
        &self,
        hallpass: &Hallpass,
        actor: &Actor,
        confirmation: Result<Option<Confirmation>, &'static str>,
    ) -> Result<(), Problem> {
        let failed = |detail| Problem::new(Kind::ConfirmationFailed, detail);
        // A malformed confirmation is never compared with anything, so it is not a guess and is not
        // counted.
        let Some(confirmation) = confirmation.map_err(failed)? else {
            let detail = "this change needs a confirmation in the header `Hallpass-Confirmation`";
            return Err(Problem::new(Kind::ConfirmationRequired, detail));
        };
        if hallpass.is_well_formed(confirmation.reveal().as_bytes()) {
            return Err(failed("a token cannot confirm anything"));
        }
        let begun = self.attempts.begin(hallpass, actor);
        let mut attempt = begun.map_err(Problem::too_many_attempts)?;
        match (self.check)(actor.clone(), confirmation).await {
            Ok(true) => {
                attempt.verdict = Verdict::Right;
                Ok(())
            }
            Ok(false) => Err(failed("the confirmation is wrong")),
            Err(status) => {
                attempt.verdict = Verdict::Unknown;
                tracing::error!(
                    target: "hallpass",
                    status = status.as_u16(),
                    "the step-up check failed, so tokens cannot be changed through the API"
                );
                Err(Problem::unavailable())
            }
        }
    }
}
