use super::input::{By, Id};
use super::reply::Shown;
use crate::problem::Problem;

pub(super) async fn show(by: By, Id(id): Id) -> Result<Shown, Problem> {
    let record = by.hallpass.get(&by.caller, id).await?;
    Ok(Shown::new(&by.hallpass, &record))
}
