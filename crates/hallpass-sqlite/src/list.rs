//! Lists as SQL: the filters and the order of `ListQuery`, so that SQLite does what
//! `ListQuery::matches` and `Sort::compare` would.

use hallpass_core::Status;
use hallpass_core::store::{ListKey, ListQuery, ListValue, Sort, SortBy};
use sqlx::{QueryBuilder, Sqlite};

use crate::row::id_bytes;
use crate::sql;

/// Counts what the filters match.
pub(crate) fn count(query: &ListQuery) -> QueryBuilder<Sqlite> {
    let mut statement = QueryBuilder::new(sql::COUNT);
    push_filters(&mut statement, query);
    statement
}

/// Reads a page, and one record more if there is one.
pub(crate) fn page(query: &ListQuery) -> QueryBuilder<Sqlite> {
    let mut statement = QueryBuilder::new(sql::LIST);
    push_filters(&mut statement, query);
    if let Some(after) = &query.after {
        push_after(&mut statement, query.sort, after);
    }
    let direction = if query.sort.descending { " DESC" } else { " ASC" };
    statement.push(" ORDER BY ").push(column(query.sort.by)).push(direction);
    if may_be_absent(query.sort.by) {
        statement.push(" NULLS LAST");
    }
    statement.push(", id").push(direction);
    statement.push(" LIMIT ").push_bind(i64::from(query.limit) + 1);
    statement
}

fn push_filters(statement: &mut QueryBuilder<Sqlite>, query: &ListQuery) {
    let now = query.now.as_millisecond();
    if let Some(owner) = &query.owner {
        statement.push(" AND owner = ").push_bind(owner.as_str().to_owned());
    }
    // The pluses keep SQLite from the indexes that are there for prune: an owner's are fewer.
    match query.status {
        None => {}
        Some(Status::Active) => {
            statement.push(" AND +revoked_at IS NULL AND (+expires_at IS NULL OR +expires_at > ");
            statement.push_bind(now).push(")");
        }
        Some(Status::Expired) => {
            statement.push(" AND +revoked_at IS NULL AND +expires_at <= ").push_bind(now);
        }
        Some(Status::Revoked) => {
            statement.push(" AND +revoked_at IS NOT NULL");
        }
    }
    if let Some(text) = &query.text {
        // Not LIKE: it has wildcards, and folds ASCII only.
        statement.push(" AND (instr(COALESCE(name_key, lower(name)), ").push_bind(text.clone());
        statement.push(") OR instr(COALESCE(description_key, lower(description)), ");
        statement.push_bind(text.clone()).push("))");
    }
    if let Some(scope) = &query.scope {
        statement
            .push(" AND instr(' ' || scopes || ' ', ")
            .push_bind(format!(" {scope} "))
            .push(")");
    }
}

/// Only what comes behind that place.
fn push_after(statement: &mut QueryBuilder<Sqlite>, sort: Sort, after: &ListKey) {
    let (column, id) = (column(sort.by), id_bytes(after.id));
    let beyond = if sort.descending { " < " } else { " > " };
    statement.push(" AND ");
    match &after.value {
        // Behind what has no time is only what has none either.
        ListValue::Time(None) => {
            statement.push(column).push(" IS NULL AND id").push(beyond).push_bind(id);
        }
        ListValue::Time(Some(time)) => {
            let time = time.as_millisecond();
            statement.push("((").push(column).push(", id)").push(beyond);
            statement.push("(").push_bind(time).push(", ").push_bind(id).push(")");
            if may_be_absent(sort.by) {
                statement.push(" OR ").push(column).push(" IS NULL");
            }
            statement.push(")");
        }
        ListValue::Name(name) => {
            statement.push("(").push(column).push(", id)").push(beyond);
            statement.push("(").push_bind(name.clone()).push(", ").push_bind(id).push(")");
        }
    }
}

fn column(by: SortBy) -> &'static str {
    match by {
        SortBy::CreatedAt => "created_at",
        SortBy::Name => "COALESCE(name_key, lower(name))",
        SortBy::ExpiresAt => "expires_at",
        SortBy::LastUsedAt => "last_used_at",
    }
}

fn may_be_absent(by: SortBy) -> bool {
    match by {
        SortBy::CreatedAt | SortBy::Name => false,
        SortBy::ExpiresAt | SortBy::LastUsedAt => true,
    }
}
