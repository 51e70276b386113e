//! The statement that reads a page of the audit trail.

use hallpass_core::store::AuditQuery;

use crate::statement::{Builder, Dialect, Statement, Value};

/// Builds the statement for [`audit_page`](crate::audit_page). It selects the page and, if there is
/// one, one more entry.
pub fn audit<D: Dialect>(query: &AuditQuery) -> Statement {
    let mut builder = Builder::<D>::new();
    builder.push(["SELECT ", D::ENTRY, " FROM ", D::CHANGES, " WHERE true"]);
    let (beyond, direction) = if query.ascending { (" > ", "ASC") } else { (" < ", "DESC") };
    let after = query.after.map(|after| i64::try_from(after.get()).unwrap_or(i64::MAX));
    let conditions = [
        ("owner", " = ", query.owner.as_ref().map(|owner| Value::text(owner.as_str()))),
        ("token_id", " = ", query.token_id.map(|id| Value::Id(Some(id)))),
        ("kind", " = ", query.kind.map(|kind| Value::text(kind.as_str()))),
        ("at", " >= ", query.since.map(|since| Value::Time(Some(since)))),
        ("at", " < ", query.until.map(|until| Value::Time(Some(until)))),
        ("seq", beyond, after.map(Value::integer)),
    ];
    for (column, operator, value) in conditions {
        if let Some(value) = value {
            let value = builder.value(value);
            builder.push([" AND changes.", column, operator, &value]);
        }
    }
    let limit = builder.value(Value::integer(i64::from(query.limit) + 1));
    builder.push([" ORDER BY changes.seq ", direction, " LIMIT ", &limit]);
    builder.finish()
}
