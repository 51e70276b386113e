//! Taking tokens back: one, or all of an owner's.

use hallpass_core::Owner;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::input::{By, Id, Json, OptionalJson};
use super::reply::{Shown, Value};
use crate::problem::Problem;
use crate::texts::OwnerText;

/// Nothing is to be said.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Nothing)]
pub(crate) struct NothingBody {}

pub(super) async fn revoke(
    by: By,
    Id(id): Id,
    OptionalJson(NothingBody {}): OptionalJson<NothingBody>,
) -> Result<Shown, Problem> {
    let record = by.hallpass.revoke(&by.caller, id).await?;
    Ok(Shown::new(&by.hallpass, &record))
}

/// Whose tokens to revoke.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OwnerToRevoke)]
pub(crate) struct OwnerBody {
    owner: OwnerText,
}

/// How many tokens were revoked.
#[derive(Serialize, ToSchema)]
pub(crate) struct Revoked {
    /// Not counting those that were revoked already.
    revoked: u64,
}

pub(super) async fn revoke_owner(
    by: By,
    Json(body): Json<OwnerBody>,
) -> Result<Value<Revoked>, Problem> {
    let owner = read_owner(body.owner)?;
    Ok(Value(Revoked { revoked: by.hallpass.revoke_owner(&by.caller, &owner, None).await? }))
}

pub(super) fn read_owner(text: OwnerText) -> Result<Owner, Problem> {
    Owner::new(String::from(text)).map_err(|error| Problem::invalid("owner", error.to_string()))
}
