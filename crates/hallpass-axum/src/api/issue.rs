use hallpass_core::NewToken;
use serde::Deserialize;
use utoipa::ToSchema;

use super::input::{By, Json};
use super::reply::Created;
use crate::problem::Problem;

/// A token to be issued.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewToken)]
pub(crate) struct NewTokenBody {
    /// What it is called: 1 to 100 characters once the white space around them is cut, no control
    /// or bidirectional-format characters. Need not be unique.
    #[schema(min_length = 1, example = "ci")]
    name: String,
    /// What it is for: up to 1000 characters.
    #[schema(nullable = false, max_length = 1000)]
    description: Option<String>,
    /// What it may do; nothing yet, if absent or empty.
    #[schema(nullable = false)]
    scopes: Option<Vec<String>>,
    /// A named set of scopes from `GET /scopes`, besides those given one by one.
    #[schema(nullable = false)]
    preset: Option<String>,
    /// When it ends: a span (`30d`, `12h`, `2w`, `1y`), a date (`2027-03-31` or `31-03-2027`, through that
    /// whole day), an RFC 3339 instant, or `never`. Absent: the host's default.
    #[schema(nullable = false, example = "30d")]
    expires: Option<String>,
}

pub(super) async fn issue(by: By, Json(body): Json<NewTokenBody>) -> Result<Created, Problem> {
    let mut new = NewToken::named(body.name)
        .description(body.description.unwrap_or_default())
        .scopes(body.scopes.unwrap_or_default());
    if let Some(preset) = body.preset {
        new = new.preset(preset);
    }
    if let Some(expires) = body.expires {
        new = new.expires(expires);
    }
    let issued = by.passes.issue(&by.caller, new).await?;
    Ok(Created::new(by, issued))
}
