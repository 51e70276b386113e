//! Lists of tokens.

use hallpass_core::store::{SortError, StatusCounts};
use hallpass_core::{DESCRIPTION_MAX, ListOptions, Scope, Status};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::SignedIn;
use crate::body::{Json, Query};
use crate::problem::Problem;
use crate::responses::TokenView;
use crate::texts::{InstantText, OwnerText, ScopeText};

/// The filters and the page of a request for tokens.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParameters {
    /// Lists only tokens with this status.
    #[param(inline)]
    status: Option<StatusFilter>,
    /// Lists only tokens whose name or description contains this text, in upper or lower case.
    #[param(max_length = 1000)]
    q: Option<String>,
    /// Lists only tokens that have exactly this scope.
    #[param(inline)]
    scope: Option<ScopeText>,
    /// Lists only tokens of this owner. Only admins may use it, and see the tokens of all owners
    /// without it.
    #[param(inline)]
    owner: Option<OwnerText>,
    /// Lists only tokens that expire before this instant.
    #[param(inline)]
    expires_before: Option<InstantText>,
    /// `true` lists only tokens that were never used.
    #[param(default = false)]
    never_used: Option<bool>,
    /// Lists only tokens whose last use is before this instant. A token that was never used must
    /// have been issued before this instant.
    #[param(inline)]
    unused_since: Option<InstantText>,
    /// `true` lists only active tokens whose previous secret still works.
    #[param(default = false)]
    previous_secret: Option<bool>,
    /// The order, which is descending with a `-` in front. Absent times come last.
    #[param(inline)]
    sort: Option<Order>,
    /// The number of tokens on a page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the previous page, with the same filters and order.
    #[param(min_length = 1)]
    cursor: Option<String>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(default = "all")]
enum StatusFilter {
    Active,
    Expired,
    Revoked,
    All,
}

/// The name of a field, with a `-` in front for descending order.
#[derive(Deserialize, ToSchema)]
#[schema(default = "-created_at", pattern = "^-?(created_at|name|expires_at|last_used_at)$")]
struct Order(String);

/// A page of tokens.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenList {
    items: Vec<TokenView>,
    /// The cursor of the next page; `null` on the last page.
    #[schema(required = true)]
    next_cursor: Option<String>,
    /// The number of tokens on all pages.
    total: u64,
    counts: Counts,
}

/// The number of tokens of each status that the filters other than `status` match.
#[derive(Serialize, ToSchema)]
#[schema(as = StatusCounts)]
pub(crate) struct Counts {
    active: u64,
    expired: u64,
    revoked: u64,
}

impl ListParameters {
    fn options(self) -> Result<ListOptions, Problem> {
        let mut options = ListOptions::new();
        options = match self.status {
            Some(StatusFilter::Active) => options.status(Status::Active),
            Some(StatusFilter::Expired) => options.status(Status::Expired),
            Some(StatusFilter::Revoked) => options.status(Status::Revoked),
            Some(StatusFilter::All) | None => options,
        };
        if let Some(text) = self.q {
            // A longer text cannot match, and not every database accepts a NUL.
            if text.chars().count() > DESCRIPTION_MAX || text.contains('\0') {
                let message = format!("use at most {DESCRIPTION_MAX} characters, without NUL");
                return Err(Problem::invalid("q", message));
            }
            options = options.text(text);
        }
        if let Some(scope) = self.scope {
            let scope = String::from(scope).parse::<Scope>();
            options = options.scope(scope.map_err(Problem::on("scope"))?);
        }
        if let Some(owner) = self.owner {
            options = options.owner(owner.read()?);
        }
        if let Some(time) = self.expires_before {
            options = options.expires_before(time.read("expires_before")?);
        }
        if self.never_used == Some(true) {
            options = options.never_used();
        }
        if let Some(time) = self.unused_since {
            options = options.unused_since(time.read("unused_since")?);
        }
        if self.previous_secret == Some(true) {
            options = options.previous_secret();
        }
        if let Some(order) = self.sort {
            let sort = order.0.parse();
            options = options.sort(
                sort.map_err(|error: SortError| Problem::invalid("sort", error.to_string()))?,
            );
        }
        if let Some(limit) = self.limit {
            options = options.limit(limit);
        }
        if let Some(cursor) = self.cursor {
            options = options.cursor(cursor);
        }
        Ok(options)
    }
}

/// List tokens.
///
/// Returns the caller's own tokens. Admins get those of all owners, or of one.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "listTokens",
    params(ListParameters),
    responses((status = 200, description = "A page of tokens.", body = TokenList))
)]
pub(super) async fn list(
    by: SignedIn,
    Query(parameters): Query<ListParameters>,
) -> Result<Json<TokenList>, Problem> {
    if parameters.owner.is_some() {
        by.require_admin()?;
    }
    let page = by.hallpass.list(&by.actor, &parameters.options()?).await?;
    let now = by.hallpass.now();
    let StatusCounts { active, expired, revoked } = page.counts;
    Ok(Json(TokenList {
        items: page.items.iter().map(|record| TokenView::new(record, now)).collect(),
        next_cursor: page.next_cursor,
        total: page.total,
        counts: Counts { active, expired, revoked },
    }))
}
