//! Step-up: people confirm every change with a password, a one-time code, or whatever the host asks
//! for. It is a setting of the handle, so that every mount asks, and all share one count of attempts.

mod attempts;
mod confirmation;
mod hook;

use axum::http::request::Parts;
use hallpass_core::{Actor, Hallpass};

use self::attempts::{Attempts, Verdict};
pub use self::confirmation::Confirmation;
pub(crate) use self::confirmation::{HEADER, Presented};
use self::hook::{ErasedStepUp, erase};
pub use self::hook::{IntoStepUp, StepUp};
use crate::problem::{Kind, Problem};

/// The check of a handle, with the attempts of all its mounts.
pub(crate) struct StepUpSettings {
    check: ErasedStepUp,
    attempts: Attempts,
}

impl StepUpSettings {
    pub(crate) fn new<T: 'static>(check: impl StepUp<T>) -> Self {
        Self { check: erase(check), attempts: Attempts::default() }
    }

    pub(crate) async fn check(
        &self,
        hallpass: &Hallpass,
        actor: &Actor,
        presented: Presented,
        parts: &mut Parts,
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
        match (self.check)(actor.clone(), confirmation, parts).await {
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
            Err(response) => {
                attempt.end(Verdict::Unknown);
                tracing::error!(
                    target: "hallpass",
                    status = response.status().as_u16(),
                    "the step-up check failed: nobody can change a token"
                );
                Err(Problem::unavailable())
            }
        }
    }
}
