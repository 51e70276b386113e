use hallpass_core::TokenUpdate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::input::{By, Id, Json};
use super::reply::Shown;
use crate::precondition::Precondition;
use crate::problem::Problem;
use crate::texts::{DescriptionText, ExpiresText, NameText, ScopeText};

/// What shall be different; what is absent stays.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenChanges)]
pub(crate) struct ChangesBody {
    #[schema(nullable = false)]
    name: Option<NameText>,
    /// The empty one clears it.
    #[schema(nullable = false)]
    description: Option<DescriptionText>,
    /// These scopes instead of those it holds.
    #[schema(nullable = false, max_items = 100)]
    scopes: Option<Vec<ScopeText>>,
    #[schema(nullable = false)]
    expires: Option<ExpiresText>,
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
            update = update.expires(String::from(expires));
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
    let expected = precondition.expected(&by.hallpass, &by.caller, id).await?;
    let record = by.hallpass.update(&by.caller, id, body.into(), expected).await?;
    Ok(Shown::new(&by.hallpass, &record))
}
