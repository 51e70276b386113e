//! Step-up: people confirm every change with a password, a one-time code, or whatever the host asks
//! for. It is a setting of the handle, so that every mount asks, and all share one count of attempts.

mod attempts;
mod confirmation;

use std::pin::Pin;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use hallpass_core::{Actor, Hallpass};

use self::attempts::{Attempts, Verdict};
pub use self::confirmation::Confirmation;
pub(crate) use self::confirmation::{HEADER, Presented};
use crate::problem::{Kind, Problem};

/// What a check of a confirmation may return: whether the confirmation is right, or an error.
///
/// An error becomes a 503, whatever response the host made of it: nothing is changed, and it does not
/// count as a wrong confirmation.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say whether a confirmation is right",
    note = "return `bool`, or a `Result` of one whose error is `IntoResponse`"
)]
pub trait IntoStepUp {
    /// Converts the answer.
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

type CheckFuture = Pin<Box<dyn Future<Output = Result<bool, StatusCode>> + Send>>;

/// The check of a handle, with the attempts of all its mounts.
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
            let answer = check(actor, confirmation);
            Box::pin(async move { answer.await.into_step_up() })
        };
        Self { check: Box::new(check), attempts: Attempts::default() }
    }

    pub(crate) async fn check(
        &self,
        hallpass: &Hallpass,
        actor: &Actor,
        presented: Presented,
    ) -> Result<(), Problem> {
        let failed =
            |detail| Err(Problem::new(Kind::ConfirmationFailed, detail).by(actor.id().clone()));
        let confirmation = match presented {
            Presented::Given(confirmation) => confirmation,
            Presented::Absent => {
                let detail = "this change needs a confirmation, such as your password";
                return Err(Problem::new(Kind::ConfirmationRequired, detail).by(actor.id().clone()));
            }
            // It is never compared with anything, so nobody can guess with it, and it does not count.
            Presented::Malformed(detail) => return failed(detail),
        };
        if hallpass.is_well_formed(confirmation.reveal().as_bytes()) {
            return failed("a token cannot confirm anything");
        }
        let attempt = self
            .attempts
            .begin(actor.id(), || hallpass.now())
            .map_err(|wait| Problem::too_many_attempts(wait).by(actor.id().clone()))?;
        match (self.check)(actor.clone(), confirmation).await {
            Ok(true) => {
                attempt.end(Verdict::Right);
                Ok(())
            }
            Ok(false) => {
                if attempt.end(Verdict::Wrong) {
                    tracing::warn!(
                        target: "hallpass",
                        actor = ?actor.id(),
                        "too many wrong confirmations in a row: the next one has to wait"
                    );
                }
                failed("the confirmation is wrong")
            }
            Err(status) => {
                attempt.end(Verdict::Unknown);
                tracing::error!(
                    target: "hallpass",
                    status = status.as_u16(),
                    "the step-up check failed: nobody can change a token"
                );
                Err(Problem::unavailable())
            }
        }
    }
}
