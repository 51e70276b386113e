use hallpass_core::TokenUpdate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::input::{By, Id, Json};
use super::reply::Shown;
use crate::precondition::Precondition;
use crate::problem::Problem;

/// What shall be different; what is absent stays.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenChanges)]
pub(crate) struct ChangesBody {
    /// Another name.
    #[schema(nullable = false, min_length = 1)]
    name: Option<String>,
    /// Another description; the empty one clears it.
    #[schema(nullable = false, max_length = 1000)]
    description: Option<String>,
    /// These scopes instead of those it holds.
    #[schema(nullable = false)]
    scopes: Option<Vec<String>>,
    /// Another end, in the forms that issuing takes.
    #[schema(nullable = false, example = "90d")]
    expires: Option<String>,
}

impl From<ChangesBody> for TokenUpdate {
    fn from(body: ChangesBody) -> Self {
        let mut update = Self::new();
        if let Some(name) = body.name {
            update = update.name(name);
        }
        if let Some(description) = body.description {
            update = update.description(description);
        }
        if let Some(scopes) = body.scopes {
            update = update.scopes(scopes);
        }
        if let Some(expires) = body.expires {
            update = update.expires(expires);
        }
        update
    }
}

pub(super) async fn update(
    by: By,
    Id(id): Id,
    precondition: Precondition,
    Json(body): Json<ChangesBody>,
) -> Result<Shown, Problem> {
    let expected = precondition.expected(&by.passes, &by.caller, id).await?;
    let record = by.passes.update(&by.caller, id, body.into(), expected).await?;
    Ok(Shown::new(&by.passes, &record))
}
