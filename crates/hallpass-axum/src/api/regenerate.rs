use hallpass_core::Regenerate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::input::{By, Id, OptionalJson};
use super::reply::Reissued;
use crate::precondition::Precondition;
use crate::problem::Problem;

/// How a token gets its new secret.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Regeneration)]
pub(crate) struct RegenerateBody {
    /// Another end, in the forms that issuing takes. Absent: kept; a token whose time is over needs one.
    #[schema(nullable = false, example = "30d")]
    expires: Option<String>,
    /// How long the old secret lives beside the new one, at most `30d`: until the new one is first used.
    /// Absent: not at all.
    #[schema(nullable = false, example = "12h")]
    overlap: Option<String>,
}

pub(super) async fn regenerate(
    by: By,
    Id(id): Id,
    precondition: Precondition,
    OptionalJson(body): OptionalJson<RegenerateBody>,
) -> Result<Reissued, Problem> {
    let expected = precondition.expected(&by.passes, &by.caller, id).await?;
    let mut how = Regenerate::new().expecting(expected);
    if let Some(expires) = body.expires {
        how = how.expires(expires);
    }
    if let Some(overlap) = body.overlap {
        how = how.overlap(overlap);
    }
    let issued = by.passes.regenerate(&by.caller, id, how).await?;
    Ok(Reissued::new(by, issued))
}
