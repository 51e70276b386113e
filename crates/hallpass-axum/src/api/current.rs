//! A token about itself.

use hallpass_core::Error;

use super::input::{By, CurrentToken};
use super::reply::{Done, Shown};
use crate::problem::{Kind, Problem};

pub(super) async fn show(by: By, CurrentToken(id): CurrentToken) -> Result<Shown, Problem> {
    let record = by.hallpass.get(&by.caller, id).await.map_err(gone)?;
    Ok(Shown::new(&by.hallpass, &record))
}

pub(super) async fn revoke(by: By, CurrentToken(id): CurrentToken) -> Result<Done, Problem> {
    by.hallpass.revoke(&by.caller, id).await.map_err(gone)?;
    Ok(Done)
}

/// Deleted since it was checked: it is as good as any unknown one.
fn gone(error: Error) -> Problem {
    match error {
        Error::NotFound => Problem::new(Kind::InvalidToken, "the token is not valid"),
        error => error.into(),
    }
}
