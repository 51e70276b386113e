//! Tables for people. They have aligned columns and no borders, so that `grep` and `awk` can read
//! them, too.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, ContentArrangement, Table};
use hallpass_core::TokenRecord;
use hallpass_core::store::AuditEntry;
use jiff::{SignedDuration, Timestamp};

use crate::output;

/// Formats tokens, one line each.
pub(crate) fn list(records: &[TokenRecord], now: Timestamp) -> String {
    let mut table = plain();
    table.set_header(["ID", "OWNER", "NAME", "SCOPES", "STATUS", "EXPIRES", "LAST USED"]);
    for record in records {
        table.add_row([
            record.id.to_string(),
            clean(record.owner.as_str()),
            clean(&record.name),
            scopes(record, ","),
            record.status(now).to_string(),
            time(record.expires_at, now),
            time(record.last_used_at, now),
        ]);
    }
    written(&table)
}

/// Formats one token, with a line for each field.
pub(crate) fn one(record: &TokenRecord, now: Timestamp) -> String {
    rows(&[
        ("id", record.id.to_string()),
        ("owner", clean(record.owner.as_str())),
        ("name", clean(&record.name)),
        ("description", clean(&record.description)),
        ("scopes", scopes(record, " ")),
        ("status", record.status(now).to_string()),
        ("created", time(Some(record.created_at), now)),
        ("expires", time(record.expires_at, now)),
        ("last used", time(record.last_used_at, now)),
        ("regenerated", time(record.regenerated_at, now)),
        ("revoked", time(record.revoked_at, now)),
        ("metadata", metadata(record)),
        ("revision", record.revision.get().to_string()),
    ])
}

/// Formats entries of the audit trail, one line each.
pub(crate) fn audit(entries: &[AuditEntry], with_header: bool) -> String {
    let mut table = plain();
    if with_header {
        table.set_header([
            "SEQ", "TIME", "KIND", "ACTOR", "OWNER", "TOKEN", "COUNT", "IP", "CHANGED",
        ]);
    }
    for AuditEntry { seq, event, .. } in entries {
        let text = |owner: &Option<hallpass_core::Owner>| {
            owner.as_ref().map_or_else(|| "-".to_owned(), |owner| clean(owner.as_str()))
        };
        let changed: Vec<_> = event.changes.iter().map(|change| clean(&change.field)).collect();
        table.add_row([
            seq.get().to_string(),
            event.at.to_string(),
            event.kind.to_string(),
            text(&event.actor),
            text(&event.owner),
            event.token_id.map_or_else(|| "-".to_owned(), |id| id.to_string()),
            event.count.to_string(),
            event.origin.ip_addr().map_or_else(|| "-".to_owned(), |ip| ip.to_string()),
            if changed.is_empty() { "-".to_owned() } else { changed.join(",") },
        ]);
    }
    written(&table)
}

/// Formats names and values, one line each.
pub(crate) fn rows(rows: &[(&str, String)]) -> String {
    let mut table = plain();
    for (name, value) in rows {
        table.add_row([Cell::new(name), Cell::new(value)]);
    }
    written(&table)
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table
}

fn written(table: &Table) -> String {
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim());
        text.push('\n');
    }
    text
}

fn scopes(record: &TokenRecord, between: &str) -> String {
    if record.scopes.is_empty() {
        return "none".to_owned();
    }
    record.scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}

fn metadata(record: &TokenRecord) -> String {
    if record.metadata.is_empty() {
        return "none".to_owned();
    }
    output::escaped(&record.metadata.to_json())
}

/// Replaces control characters, so that a text has one line and cannot control the terminal.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Formats a time to the second, with its distance from now.
fn time(time: Option<Timestamp>, now: Timestamp) -> String {
    let Some(time) = time else { return "never".to_owned() };
    let second = Timestamp::from_second(time.as_second()).unwrap_or(time);
    let distance = time.duration_since(now);
    let words = in_words(distance.abs());
    if distance.is_positive() {
        format!("{second} (in {words})")
    } else {
        format!("{second} ({words} ago)")
    }
}

/// Writes a duration in words.
fn in_words(span: SignedDuration) -> String {
    let seconds = span.as_secs();
    let (length, unit) = match seconds {
        0..60 => (1, "second"),
        60..3_600 => (60, "minute"),
        3_600..172_800 => (3_600, "hour"),
        _ => (86_400, "day"),
    };
    let count = (seconds + length / 2) / length;
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_shown_with_its_distance() {
        let now: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
        let text_at = |seconds| time(Some(now + SignedDuration::from_secs(seconds)), now);
        assert_eq!(text_at(30 * 86_400), "2027-01-31T00:00:00Z (in 30 days)");
        assert_eq!(text_at(30 * 86_400 - 1), "2027-01-30T23:59:59Z (in 30 days)");
        assert_eq!(text_at(-1), "2026-12-31T23:59:59Z (1 second ago)");
        assert_eq!(text_at(0), "2027-01-01T00:00:00Z (0 seconds ago)");
        assert_eq!(text_at(90_000), "2027-01-02T01:00:00Z (in 25 hours)");
        assert_eq!(text_at(-60), "2026-12-31T23:59:00Z (1 minute ago)");
        assert_eq!(time(None, now), "never");
    }

    #[test]
    fn control_characters_are_replaced() {
        assert_eq!(clean("a\x1b[2Jb\nc\u{9b}d"), "a [2Jb c d");
    }
}
