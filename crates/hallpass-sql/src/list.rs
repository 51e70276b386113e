//! The statement that reads a page of a list. It selects and orders exactly like
//! `ListQuery::matches` and `Sort::compare`.

use hallpass_core::Status;
use hallpass_core::store::{ListKey, ListQuery, ListValue, Sort, SortBy};

use crate::statement::{Builder, Dialect, Statement, Value};
use crate::values::metadata_line;

/// Builds the statement for [`list_page`](crate::list_page).
///
/// It selects the sequence number of the log, the counts by status, the page and, if there is one,
/// one more record. It is one statement, so all of these are from the same snapshot. Without
/// records there is one row with NULLs.
pub fn list<D: Dialect>(query: &ListQuery) -> Statement {
    let mut builder = Builder::<D>::new();
    let now = builder.value(Value::Time(Some(query.now)));
    let filters = filters(&mut builder, query, &now);

    builder.push([
        "WITH page AS (SELECT ",
        D::RECORD,
        " FROM ",
        D::TOKENS,
        " WHERE true",
        &filters,
    ]);
    if let Some(status) = query.status {
        builder.push([" AND ", &has_status::<D>(status, &now)]);
    }
    if let Some(after) = &query.after {
        push_after(&mut builder, query.sort, after);
    }
    let direction = if query.sort.descending { " DESC" } else { " ASC" };
    builder.push([" ORDER BY ", column(query.sort.by), direction]);
    if is_optional(query.sort.by) {
        builder.push([" NULLS LAST"]);
    }
    let limit = builder.value(Value::integer(i64::from(query.limit) + 1));
    builder.push([", t.id", direction, " LIMIT ", &limit, "), counted AS (SELECT"]);

    for (separator, status) in
        [(" ", Status::Active), (", ", Status::Expired), (", ", Status::Revoked)]
    {
        let condition = has_status::<D>(status, &now);
        builder.push([separator, "count(*) FILTER (WHERE ", &condition, ") AS ", status.as_str()]);
    }
    builder.push([" FROM ", D::TOKENS, " WHERE true", &filters]);
    builder.push([
        ") SELECT clock.seq AS as_of, counted.*, page.* FROM ",
        D::CLOCK,
        " AS clock CROSS JOIN counted LEFT JOIN page ON true",
    ]);
    builder.finish()
}

/// Writes all filters except the status. The statement contains them twice.
fn filters<D: Dialect>(builder: &mut Builder<D>, query: &ListQuery, now: &str) -> String {
    let mut filters = String::new();
    if let Some(owner) = &query.owner {
        let owner = builder.value(Value::text(owner.as_str()));
        filters.extend([" AND t.owner = ", &owner]);
    }
    if let Some(limit) = query.expires_before {
        let limit = builder.value(Value::Time(Some(limit)));
        // An owner has few tokens, so the index by owner is better than the one by expiry.
        let column = match query.owner {
            Some(_) => D::unindexed("t.expires_at"),
            None => "t.expires_at".to_owned(),
        };
        filters.extend([" AND ", &column, " < ", &limit]);
    }
    if query.never_used {
        filters.push_str(" AND t.last_used_at IS NULL");
    }
    if let Some(time) = query.unused_since {
        let time = builder.value(Value::Time(Some(time)));
        filters.extend([" AND COALESCE(t.last_used_at, t.created_at) < ", &time]);
    }
    if query.previous_secret {
        let active = has_status::<D>(Status::Active, now);
        filters.extend([" AND t.previous_until > ", now, " AND ", &active]);
    }
    if query.text.as_ref().is_some_and(|text| text.contains('\0')) {
        // No stored text contains this character, and PostgreSQL cannot even compare a text with
        // it.
        filters.push_str(" AND false");
    } else if let Some(text) = &query.text {
        // LIKE is not used, because it has wildcards.
        let text = builder.value(Value::text(text));
        let name = D::contains(FOLDED_NAME, &text);
        let description = D::contains("COALESCE(t.description_key, lower(t.description))", &text);
        filters.extend([" AND (", &name, " OR ", &description, ")"]);
    }
    if let Some(scope) = &query.scope {
        let scope = builder.value(Value::text(scope.as_str()));
        filters.extend([" AND ", &D::has_scope(&scope)]);
    }
    for (name, value) in &query.metadata {
        let line = builder.value(Value::text(metadata_line(name, value)));
        filters.extend([" AND ", &D::contains("t.metadata", &line)]);
    }
    filters
}

/// Writes the condition of a status. It keeps the planner from using the indexes by revocation and
/// expiry, which are for pruning and counts. A list should use the index by owner or by order.
fn has_status<D: Dialect>(status: Status, now: &str) -> String {
    let (revoked, expires) = (D::unindexed("t.revoked_at"), D::unindexed("t.expires_at"));
    match status {
        Status::Active => {
            format!("({revoked} IS NULL AND ({expires} IS NULL OR {expires} > {now}))")
        }
        Status::Expired => format!("({revoked} IS NULL AND {expires} <= {now})"),
        Status::Revoked => format!("{revoked} IS NOT NULL"),
    }
}

/// Adds the condition that a record comes after a position in the order.
fn push_after<D: Dialect>(builder: &mut Builder<D>, sort: Sort, after: &ListKey) {
    let (column, id) = (column(sort.by), builder.value(Value::Id(Some(after.id))));
    let beyond = if sort.descending { " < " } else { " > " };
    let value = match &after.value {
        // Tokens without the time come last, so only other tokens without it follow.
        ListValue::Time(None) => {
            builder.push([" AND ", column, " IS NULL AND t.id", beyond, &id]);
            return;
        }
        ListValue::Time(time) => builder.value(Value::Time(*time)),
        // A forged position may contain NUL, which no name contains and PostgreSQL rejects. Without
        // it and the rest of the text, the position is the same.
        ListValue::Name(name) => {
            builder.value(Value::text(name.split('\0').next().unwrap_or_default()))
        }
    };
    builder.push([" AND ((", column, ", t.id)", beyond, "(", &value, ", ", &id, ")"]);
    if is_optional(sort.by) {
        builder.push([" OR ", column, " IS NULL"]);
    }
    builder.push([")"]);
}

/// The folded name. `name_key` is NULL if `lower` computes it.
const FOLDED_NAME: &str = "COALESCE(t.name_key, lower(t.name))";

/// Returns the column that a list is ordered by.
fn column(by: SortBy) -> &'static str {
    match by {
        SortBy::CreatedAt => "t.created_at",
        SortBy::Name => FOLDED_NAME,
        SortBy::ExpiresAt => "t.expires_at",
        SortBy::LastUsedAt => "t.last_used_at",
    }
}

/// Returns whether the column may be NULL.
fn is_optional(by: SortBy) -> bool {
    matches!(by, SortBy::ExpiresAt | SortBy::LastUsedAt)
}
