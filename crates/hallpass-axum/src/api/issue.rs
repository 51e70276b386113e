use hallpass_core::NewToken;
use serde::Deserialize;
use utoipa::ToSchema;

use super::input::{By, Json};
use super::reply::Created;
use crate::problem::Problem;
use crate::texts::{DescriptionText, ExpiresText, NameText, ScopeText};

/// A token to be issued.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewToken)]
pub(crate) struct NewTokenBody {
    name: NameText,
    #[schema(nullable = false)]
    description: Option<DescriptionText>,
    /// What it may do; nothing yet, if absent or empty.
    #[schema(nullable = false, max_items = 100)]
    scopes: Option<Vec<ScopeText>>,
    /// A named set of scopes from `GET /scopes`, besides those given one by one.
    #[schema(nullable = false, min_length = 1)]
    preset: Option<String>,
    /// Absent: the host's default.
    #[schema(nullable = false)]
    expires: Option<ExpiresText>,
}

pub(super) async fn issue(by: By, Json(body): Json<NewTokenBody>) -> Result<Created, Problem> {
    let mut new = NewToken::named(body.name)
        .description(body.description.map(String::from).unwrap_or_default())
        .scopes(body.scopes.unwrap_or_default());
    if let Some(preset) = body.preset {
        new = new.preset(preset);
    }
    if let Some(expires) = body.expires {
        new = new.expires(String::from(expires));
    }
    let issued = by.hallpass.issue(&by.caller, new).await?;
    Ok(Created::new(by, issued))
}
