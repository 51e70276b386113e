use super::input::{By, Id, OptionalJson};
use super::reply::Created;
use super::update::ChangesBody;
use crate::problem::Problem;

pub(super) async fn copy(
    by: By,
    Id(id): Id,
    OptionalJson(different): OptionalJson<ChangesBody>,
) -> Result<Created, Problem> {
    let issued = by.hallpass.copy(&by.caller, id, different.into()).await?;
    Ok(Created::new(by, issued))
}
