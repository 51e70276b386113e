//! Lists as SQL: the filters and the order of `ListQuery`, so that SQLite does what
//! `ListQuery::matches` and `Sort::compare` would.

use hallpass_core::Status;
use hallpass_core::store::{ListKey, ListQuery, ListValue, Sort, SortBy};
use sqlx::{QueryBuilder, Sqlite};

use crate::row::{id_bytes, record_columns};

/// Counts what the filters match.
pub(crate) fn count(query: &ListQuery) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("SELECT count(*) FROM tokens WHERE true");
    push_filters(&mut sql, query);
    sql
}

/// Reads a page, and one record more if there is one.
pub(crate) fn page(query: &ListQuery) -> QueryBuilder<Sqlite> {
    let mut sql =
        QueryBuilder::new(concat!("SELECT ", record_columns!(), " FROM tokens WHERE true"));
    push_filters(&mut sql, query);
    if let Some(after) = &query.after {
        push_after(&mut sql, query.sort, after);
    }
    let (column, direction) =
        (column(query.sort.by), if query.sort.descending { "DESC" } else { "ASC" });
    sql.push(" ORDER BY ").push(column).push(" ").push(direction);
    if may_be_absent(query.sort.by) {
        sql.push(" NULLS LAST");
    }
    sql.push(", id ").push(direction);
    sql.push(" LIMIT ").push_bind(i64::from(query.limit) + 1);
    sql
}

fn push_filters(sql: &mut QueryBuilder<Sqlite>, query: &ListQuery) {
    let now = query.now.as_millisecond();
    if let Some(owner) = &query.owner {
        sql.push(" AND owner = ").push_bind(owner.as_str().to_owned());
    }
    match query.status {
        None => {}
        Some(Status::Active) => {
            sql.push(" AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ");
            sql.push_bind(now).push(")");
        }
        Some(Status::Expired) => {
            sql.push(" AND revoked_at IS NULL AND expires_at <= ").push_bind(now);
        }
        Some(Status::Revoked) => {
            sql.push(" AND revoked_at IS NOT NULL");
        }
    }
    if let Some(text) = &query.text {
        // Not LIKE: it has wildcards, and folds ASCII only.
        sql.push(" AND (instr(name_key, ").push_bind(text.clone());
        sql.push(") OR instr(description_key, ").push_bind(text.clone()).push("))");
    }
    if let Some(scope) = &query.scope {
        sql.push(" AND instr(' ' || scopes || ' ', ").push_bind(format!(" {scope} ")).push(")");
    }
}

/// Only what comes behind that place.
fn push_after(sql: &mut QueryBuilder<Sqlite>, sort: Sort, after: &ListKey) {
    let (column, id) = (column(sort.by), id_bytes(after.id));
    let beyond = if sort.descending { " < " } else { " > " };
    sql.push(" AND ");
    match &after.value {
        // Behind what has no time is only what has none either.
        ListValue::Time(None) => {
            sql.push(column).push(" IS NULL AND id").push(beyond).push_bind(id);
        }
        ListValue::Time(Some(time)) => {
            let time = time.as_millisecond();
            sql.push("((").push(column).push(", id)").push(beyond);
            sql.push("(").push_bind(time).push(", ").push_bind(id).push(")");
            if may_be_absent(sort.by) {
                sql.push(" OR ").push(column).push(" IS NULL");
            }
            sql.push(")");
        }
        ListValue::Name(name) => {
            sql.push("(").push(column).push(", id)").push(beyond);
            sql.push("(").push_bind(name.clone()).push(", ").push_bind(id).push(")");
        }
    }
}

fn column(by: SortBy) -> &'static str {
    match by {
        SortBy::CreatedAt => "created_at",
        SortBy::Name => "name_key",
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
