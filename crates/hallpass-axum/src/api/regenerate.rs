use hallpass_core::RegenerateOptions;
use serde::Deserialize;
use utoipa::ToSchema;

use super::input::{By, Id, OptionalJson};
use super::reply::Reissued;
use crate::precondition::Precondition;
use crate::problem::Problem;
use crate::texts::{ExpiresText, GracePeriodText};

/// How a token gets its new secret.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Regeneration)]
pub(crate) struct RegenerateBody {
    /// Absent: kept; a token whose time is over needs another.
    #[schema(nullable = false)]
    expires: Option<ExpiresText>,
    /// How long the old secret lives beside the new one: until that is first used. Absent: not at
    /// all.
    #[schema(nullable = false)]
    grace_period: Option<GracePeriodText>,
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
    if let Some(grace_period) = body.grace_period {
        how = how.grace_period(String::from(grace_period));
    }
    let issued = by.hallpass.regenerate(&by.caller, id, how).await?;
    Ok(Reissued::new(by, issued))
}
