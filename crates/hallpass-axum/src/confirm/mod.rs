//! Step-up: whoever is signed in says once more that it is them, with every change.

mod attempts;
mod confirmation;
mod hook;

use axum::http::request::Parts;
use hallpass_core::{Actor, Hallpass};

use self::attempts::{Attempts, Verdict};
pub use self::confirmation::Confirmation;
pub(crate) use self::confirmation::Presented;
use self::hook::{Asking, ErasedConfirm};
pub use self::hook::{Confirm, IntoStepUp};
use crate::problem::{Kind, Problem};

/// Lets changes through that their callers have confirmed.
pub(crate) struct Confirming<S> {
    host: Box<dyn ErasedConfirm<S>>,
    attempts: Attempts,
}

impl<S: Sync + 'static> Confirming<S> {
    pub(crate) fn new<C: Confirm<T, S>, T: 'static>(check: C) -> Self {
        Self { host: Box::new(Asking::new(check)), attempts: Attempts::default() }
    }
}

impl<S> Confirming<S> {
    pub(crate) async fn check(
        &self,
        hallpass: &Hallpass,
        caller: &Actor,
        presented: Presented,
        parts: &mut Parts,
        state: &S,
    ) -> Result<(), Problem> {
        let failed = |detail| Err(Problem::new(Kind::ConfirmationFailed, detail));
        let confirmation = match presented {
            Presented::Given(confirmation) => confirmation,
            Presented::Absent => {
                let detail = "this change needs a confirmation, such as your password";
                return Err(Problem::new(Kind::ConfirmationRequired, detail));
            }
            // Nobody guesses anything with what is never looked at, so it does not count.
            Presented::Malformed(detail) => return failed(detail),
        };
        if hallpass.is_well_formed(confirmation.reveal().as_bytes()) {
            return failed("a token confirms nothing");
        }
        let attempt = self
            .attempts
            .begin(caller.id(), || hallpass.now())
            .map_err(Problem::too_many_attempts)?;
        match self.host.confirm(caller.clone(), confirmation, parts, state).await {
            Ok(true) => {
                attempt.end(Verdict::Right);
                Ok(())
            }
            Ok(false) => {
                if attempt.end(Verdict::Wrong) {
                    tracing::warn!(
                        target: "hallpass",
                        actor = ?caller.id(),
                        "too many wrong confirmations in a row: the next has to wait"
                    );
                }
                failed("that is not right")
            }
            Err(said) => {
                attempt.end(Verdict::Unknown);
                tracing::error!(
                    target: "hallpass",
                    status = said.status().as_u16(),
                    "the check given to `TokenApi::confirm` failed: nobody can change a token"
                );
                Err(Problem::unavailable())
            }
        }
    }
}
