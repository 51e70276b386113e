use hallpass_core::RegenerateOptions;
use serde::Deserialize;
use utoipa::ToSchema;

use super::input::{By, Id, OptionalJson};
use super::reply::Reissued;
use crate::precondition::Precondition;
use crate::problem::Problem;
use crate::texts::{ExpiresText, OverlapText};

/// How a token gets its new secret.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Regeneration)]
pub(crate) struct RegenerateBody {
    /// Absent: kept; a token whose time is over needs another.
    #[schema(nullable = false)]
    expires: Option<ExpiresText>,
    /// How long the old secret lives beside the new one: until that is first used. Absent: not at all.
    #[schema(nullable = false)]
    overlap: Option<OverlapText>,
}

pub(super) async fn regenerate(
    by: By,
    Id(id): Id,
    precondition: Precondition,
    OptionalJson(body): OptionalJson<RegenerateBody>,
) -> Result<Reissued, Problem> {
    let expected = precondition.expected(&by.hallpass, &by.caller, id).await?;
    let mut how = RegenerateOptions::new().if_revision(expected);
    if let Some(expires) = body.expires {
        how = how.expires(String::from(expires));
    }
    if let Some(overlap) = body.overlap {
        how = how.grace_period(String::from(overlap));
    }
    let issued = by.hallpass.regenerate(&by.caller, id, how).await?;
    Ok(Reissued::new(by, issued))
}
