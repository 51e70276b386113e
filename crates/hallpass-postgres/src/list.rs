//! Lists as SQL: the filters and the order of `ListQuery`, so that PostgreSQL does what
//! `ListQuery::matches` and `Sort::compare` would.

use hallpass_core::Status;
use hallpass_core::store::{AuditQuery, ListKey, ListQuery, ListValue, Sort, SortBy};

use crate::literal::{Literal, Script};
use crate::sql;

/// Reads a page, and one record more if there is one, and counts all that match: one statement and
/// so one snapshot. The total stands beside each record, and alone if there is none.
pub(crate) fn statement(query: &ListQuery) -> Script {
    let mut statement = Script::new(sql::LIST, &[]);
    push_filters(&mut statement, query);
    push_status(&mut statement, query);
    if let Some(after) = &query.after {
        push_after(&mut statement, query.sort, after);
    }
    push_order(&mut statement, query.sort);
    statement.push(" LIMIT $1), counted AS (", &[Literal::integer(i64::from(query.limit) + 1)]);
    statement.push(sql::COUNT, &[Literal::time(query.now)]);
    push_filters(&mut statement, query);
    statement.push(") SELECT counted.*, page.* FROM counted LEFT JOIN page ON true", &[]);
    statement
}

fn push_filters(statement: &mut Script, query: &ListQuery) {
    if let Some(owner) = &query.owner {
        statement.push(" AND t.owner = $1", &[Literal::text(owner.as_str())]);
    }
    if let Some(limit) = query.expires_before {
        statement.push(" AND t.expires_at < $1", &[Literal::time(limit)]);
    }
    if query.never_used {
        statement.push(" AND t.last_used_at IS NULL", &[]);
    }
    push_text(statement, query);
}

fn push_status(statement: &mut Script, query: &ListQuery) {
    let now = || Literal::time(query.now);
    match query.status {
        None => {}
        Some(Status::Active) => {
            statement.push(
                " AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $1)",
                &[now()],
            );
        }
        Some(Status::Expired) => {
            statement.push(" AND t.revoked_at IS NULL AND t.expires_at <= $1", &[now()]);
        }
        Some(Status::Revoked) => {
            statement.push(" AND t.revoked_at IS NOT NULL", &[]);
        }
    }
}

fn push_text(statement: &mut Script, query: &ListQuery) {
    match &query.text {
        None => {}
        // PostgreSQL has no such character, so no text has it.
        Some(text) if text.contains('\0') => {
            statement.push(" AND false", &[]);
        }
        // Not LIKE: it has wildcards.
        Some(text) => {
            statement.push(
                " AND (strpos(COALESCE(t.name_key, lower(t.name)), $1) > 0 \
                 OR strpos(COALESCE(t.description_key, lower(t.description)), $1) > 0)",
                &[Literal::text(text)],
            );
        }
    }
    if let Some(scope) = &query.scope {
        statement.push(" AND $1 = ANY (t.scopes)", &[Literal::text(scope.as_str())]);
    }
}

/// Reads a page of the audit trail, and one entry more if there is one.
pub(crate) fn audit(query: &AuditQuery) -> Script {
    let mut statement = Script::new(sql::AUDIT, &[]);
    if let Some(owner) = &query.owner {
        statement.push(" AND t.owner = $1", &[Literal::text(owner.as_str())]);
    }
    if let Some(id) = query.token_id {
        statement.push(" AND t.token_id = $1", &[Literal::id(id)]);
    }
    if let Some(kind) = query.kind {
        statement.push(" AND t.kind = $1", &[Literal::text(kind.as_str())]);
    }
    if let Some(since) = query.since {
        statement.push(" AND t.at >= $1", &[Literal::time(since)]);
    }
    if let Some(until) = query.until {
        statement.push(" AND t.at < $1", &[Literal::time(until)]);
    }
    if let Some(after) = query.after {
        let after = Literal::integer(i64::try_from(after.get()).unwrap_or(i64::MAX));
        let beyond = if query.ascending { " AND t.seq > $1" } else { " AND t.seq < $1" };
        statement.push(beyond, &[after]);
    }
    let order = if query.ascending { " ORDER BY t.seq" } else { " ORDER BY t.seq DESC" };
    statement.push(order, &[]);
    statement.push(" LIMIT $1", &[Literal::integer(i64::from(query.limit) + 1)]);
    statement
}

/// Only what comes behind that place.
fn push_after(statement: &mut Script, sort: Sort, after: &ListKey) {
    let id = Literal::id(after.id);
    let value = match &after.value {
        // Behind what has no time is only what has none either.
        ListValue::Time(None) => {
            statement.push(" AND ", &[]).push(column(sort.by), &[]).push(" IS NULL AND t.id", &[]);
            statement.push(beyond(sort), &[]).push("$1", &[id]);
            return;
        }
        ListValue::Time(Some(time)) => Literal::time(*time),
        // What comes behind it is the same without what no name can have.
        ListValue::Name(name) => Literal::text(name.split('\0').next().unwrap_or_default()),
    };
    statement.push(" AND ((", &[]).push(column(sort.by), &[]).push(", t.id)", &[]);
    statement.push(beyond(sort), &[]).push("($1, $2)", &[value, id]);
    if may_be_absent(sort.by) {
        statement.push(" OR ", &[]).push(column(sort.by), &[]).push(" IS NULL", &[]);
    }
    statement.push(")", &[]);
}

fn push_order(statement: &mut Script, sort: Sort) {
    let direction = if sort.descending { " DESC" } else { " ASC" };
    statement.push(" ORDER BY ", &[]).push(column(sort.by), &[]).push(direction, &[]);
    if may_be_absent(sort.by) {
        statement.push(" NULLS LAST", &[]);
    }
    statement.push(", t.id", &[]).push(direction, &[]);
}

fn beyond(sort: Sort) -> &'static str {
    if sort.descending { " < " } else { " > " }
}

fn column(by: SortBy) -> &'static str {
    match by {
        SortBy::CreatedAt => "t.created_at",
        SortBy::Name => "COALESCE(t.name_key, lower(t.name))",
        SortBy::ExpiresAt => "t.expires_at",
        SortBy::LastUsedAt => "t.last_used_at",
    }
}

fn may_be_absent(by: SortBy) -> bool {
    match by {
        SortBy::CreatedAt | SortBy::Name => false,
        SortBy::ExpiresAt | SortBy::LastUsedAt => true,
    }
}
