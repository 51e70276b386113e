use axum::response::Response;
use hallpass_core::store::{Sort, SortBy, StatusCounts};
use hallpass_core::{DESCRIPTION_MAX, ListOptions, Scope, ScopeError, Status};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::SignedIn;
use crate::body::Query;
use crate::problem::Problem;
use crate::responses::{self, TokenView};
use crate::texts::{InstantText, OwnerText, ScopeText};

/// Which tokens to list, and from where on.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParameters {
    /// Only those of this status.
    #[param(inline, nullable = false)]
    status: Option<StatusFilter>,
    /// Only those whose name or description holds this text, in whatever case.
    #[param(nullable = false, max_length = 1000)]
    q: Option<String>,
    /// Only those that hold exactly this scope.
    #[param(inline, nullable = false)]
    scope: Option<ScopeText>,
    /// Only this owner's: for an admin, who sees everybody's without.
    #[param(inline, nullable = false)]
    owner: Option<OwnerText>,
    /// Only those that expire before this instant.
    #[param(inline, nullable = false)]
    expires_before: Option<InstantText>,
    /// `true`: only those that were never used.
    #[param(nullable = false, default = false)]
    never_used: Option<bool>,
    /// The order; a `-` before it is descending. Absent times come last.
    #[param(inline, nullable = false)]
    sort: Option<Order>,
    /// How many on a page.
    #[param(nullable = false, minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before, with the same filters and order.
    #[param(nullable = false, min_length = 1)]
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

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[schema(default = "-created_at")]
enum Order {
    #[serde(rename = "created_at")]
    CreatedAt,
    #[serde(rename = "-created_at")]
    CreatedAtDescending,
    #[serde(rename = "name")]
    Name,
    #[serde(rename = "-name")]
    NameDescending,
    #[serde(rename = "expires_at")]
    ExpiresAt,
    #[serde(rename = "-expires_at")]
    ExpiresAtDescending,
    #[serde(rename = "last_used_at")]
    LastUsedAt,
    #[serde(rename = "-last_used_at")]
    LastUsedAtDescending,
}

impl From<Order> for Sort {
    fn from(order: Order) -> Self {
        let (by, descending) = match order {
            Order::CreatedAt => (SortBy::CreatedAt, false),
            Order::CreatedAtDescending => (SortBy::CreatedAt, true),
            Order::Name => (SortBy::Name, false),
            Order::NameDescending => (SortBy::Name, true),
            Order::ExpiresAt => (SortBy::ExpiresAt, false),
            Order::ExpiresAtDescending => (SortBy::ExpiresAt, true),
            Order::LastUsedAt => (SortBy::LastUsedAt, false),
            Order::LastUsedAtDescending => (SortBy::LastUsedAt, true),
        };
        Self { by, descending }
    }
}

/// A page of tokens.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenList {
    items: Vec<TokenView>,
    /// Where the next page starts; `null` on the last.
    #[schema(required = true)]
    next_cursor: Option<String>,
    /// How many tokens the filters match, on all pages together.
    total: u64,
    counts: Counts,
}

/// How many tokens the filters match without `status`, by status.
#[derive(Serialize, ToSchema)]
#[schema(as = StatusCounts)]
pub(crate) struct Counts {
    active: u64,
    expired: u64,
    revoked: u64,
}

impl ListParameters {
    fn listing(self) -> Result<ListOptions, Problem> {
        let mut listing = ListOptions::new();
        listing = match self.status {
            Some(StatusFilter::Active) => listing.status(Status::Active),
            Some(StatusFilter::Expired) => listing.status(Status::Expired),
            Some(StatusFilter::Revoked) => listing.status(Status::Revoked),
            Some(StatusFilter::All) | None => listing,
        };
        if let Some(text) = self.q {
            // Nothing longer can match, and not every database takes a NUL.
            if text.chars().count() > DESCRIPTION_MAX || text.contains('\0') {
                let message = format!("at most {DESCRIPTION_MAX} characters, none of them NUL");
                return Err(Problem::invalid("q", message));
            }
            listing = listing.text(text);
        }
        if let Some(scope) = self.scope {
            let scope: Scope = String::from(scope)
                .parse()
                .map_err(|error: ScopeError| Problem::invalid("scope", error.to_string()))?;
            listing = listing.scope(scope);
        }
        if let Some(owner) = self.owner {
            listing = listing.owner(owner.read()?);
        }
        if let Some(time) = self.expires_before {
            listing = listing.expires_before(time.read("expires_before")?);
        }
        if self.never_used == Some(true) {
            listing = listing.never_used();
        }
        if let Some(order) = self.sort {
            listing = listing.sort(order.into());
        }
        if let Some(limit) = self.limit {
            listing = listing.limit(limit);
        }
        if let Some(cursor) = self.cursor {
            listing = listing.cursor(cursor);
        }
        Ok(listing)
    }
}

/// List tokens.
///
/// The caller's own; everybody's, or one owner's, for an admin.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "listTokens",
    params(ListParameters),
    responses((status = 200, description = "A page of tokens.", body = TokenList)),
    security(("session" = []))
)]
pub(super) async fn list(
    by: SignedIn,
    Query(parameters): Query<ListParameters>,
) -> Result<Response, Problem> {
    if parameters.owner.is_some() {
        by.require_admin()?;
    }
    let page = by.hallpass.list(&by.actor, &parameters.listing()?).await?;
    let now = by.hallpass.now();
    let StatusCounts { active, expired, revoked } = page.counts;
    Ok(responses::json(&TokenList {
        items: page.items.iter().map(|record| TokenView::new(record, now)).collect(),
        next_cursor: page.next_cursor,
        total: page.total,
        counts: Counts { active, expired, revoked },
    }))
}
