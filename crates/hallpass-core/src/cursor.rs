//! Cursors: positions in a list, each bound to one actor and to the list's filters and order.
//!
//! A cursor is hexadecimal text: a check value, then the position. The check value is a hash over
//! the position, the actor, the filters and the order. A cursor that was cut, altered or sent with
//! another list has a wrong check value, so it is reported as an error and never yields a wrong
//! page.
//!
//! The check value is not a signature. A forged cursor only selects another position in a list that
//! the actor may read anyway.

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::actor::Actor;
use crate::error::Error;
use crate::store::{AuditQuery, ChangeSeq, ListKey, ListQuery, ListValue, SortBy};
use crate::token::TokenId;

/// The length of the check value in hexadecimal digits.
const CHECK_LEN: usize = 24;

/// Returns the error for a cursor that does not belong to the list.
pub(crate) fn error() -> Error {
    Error::invalid("cursor", "this is not a cursor of this list: start again without a cursor")
}

/// Writes the position of the last record on a page.
pub(crate) fn write(position: &ListKey, by: &Actor, query: &ListQuery) -> String {
    let value = match &position.value {
        ListValue::Time(None) => "a".to_owned(),
        ListValue::Time(Some(time)) => format!("t{}", time.as_millisecond()),
        ListValue::Name(name) => format!("n{}", to_hex(name.as_bytes())),
    };
    seal(&format!("{}{value}", position.id.as_uuid().simple()), by, &list_identity(query))
}

/// Reads the position from a cursor. Returns `None` if the text is not a cursor of this list.
pub(crate) fn read(text: &str, by: &Actor, query: &ListQuery) -> Option<ListKey> {
    let position = open(text, by, &list_identity(query))?;
    let (id, value) = position.split_at_checked(32)?;
    let id = TokenId::from_uuid(Uuid::try_parse(id).ok()?);
    let by_name = query.sort.by == SortBy::Name;
    let value = match value.split_at_checked(1)? {
        ("a", "") if !by_name => ListValue::Time(None),
        ("t", millis) if !by_name => {
            ListValue::Time(Some(Timestamp::from_millisecond(millis.parse().ok()?).ok()?))
        }
        ("n", hex) if by_name => ListValue::Name(String::from_utf8(from_hex(hex)?).ok()?),
        _ => return None,
    };
    Some(ListKey { value, id })
}

/// Writes the position of the last entry on a page of the audit trail.
pub(crate) fn write_audit(seq: ChangeSeq, by: &Actor, query: &AuditQuery) -> String {
    seal(&seq.get().to_string(), by, &audit_identity(query))
}

/// Reads the position from a cursor of the audit trail. Returns `None` for any other text.
pub(crate) fn read_audit(text: &str, by: &Actor, query: &AuditQuery) -> Option<ChangeSeq> {
    Some(ChangeSeq::new(open(text, by, &audit_identity(query))?.parse().ok()?))
}

/// Returns the options that decide which records a list contains, and in which order.
fn list_identity(query: &ListQuery) -> Value {
    json!({
        "list": "tokens",
        "owner": query.owner.as_ref().map(super::owner::Owner::as_str),
        "status": query.status.map(super::record::Status::as_str),
        "text": query.text,
        "scope": query.scope.as_ref().map(super::scope::Scope::as_str),
        "metadata": query.metadata,
        "expires_before": query.expires_before.map(Timestamp::as_millisecond),
        "never_used": query.never_used,
        "unused_since": query.unused_since.map(Timestamp::as_millisecond),
        "previous_secret": query.previous_secret,
        "sort": match query.sort.by {
            SortBy::CreatedAt => "created_at",
            SortBy::Name => "name",
            SortBy::ExpiresAt => "expires_at",
            SortBy::LastUsedAt => "last_used_at",
        },
        "descending": query.sort.descending,
    })
}

/// Returns the options that decide which entries an audit query selects, and in which order.
fn audit_identity(query: &AuditQuery) -> Value {
    json!({
        "list": "audit",
        "owner": query.owner.as_ref().map(super::owner::Owner::as_str),
        "token": query.token_id.map(|id| id.to_string()),
        "kind": query.kind.map(super::event::EventKind::as_str),
        "since": query.since.map(Timestamp::as_millisecond),
        "until": query.until.map(Timestamp::as_millisecond),
        "ascending": query.ascending,
    })
}

/// Writes a position together with its check value.
fn seal(position: &str, by: &Actor, identity: &Value) -> String {
    format!("{}{}", check(position, by, identity), to_hex(position.as_bytes()))
}

/// Returns the position in a cursor, if its check value is right.
fn open(text: &str, by: &Actor, identity: &Value) -> Option<String> {
    let (found, hex) = text.split_at_checked(CHECK_LEN)?;
    let position = String::from_utf8(from_hex(hex)?).ok()?;
    (found == check(&position, by, identity)).then_some(position)
}

/// Computes the check value. JSON separates the fields, so that no two lists have the same text.
fn check(position: &str, by: &Actor, identity: &Value) -> String {
    let sealed = json!([position, by.id().as_str(), by.role().as_str(), identity]);
    let hash = Sha256::digest(sealed.to_string().as_bytes());
    to_hex(&hash[..CHECK_LEN / 2])
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads hexadecimal digits in lower case only, so that each position has exactly one text.
fn from_hex(hex: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owner::Owner;
    use crate::store::Sort;
    use proptest::prelude::*;

    fn query(by: SortBy) -> ListQuery {
        let sort = Sort { by, descending: false };
        ListQuery { sort, ..ListQuery::everything(Timestamp::UNIX_EPOCH, 20) }
    }

    #[test]
    fn cursor_works_only_for_its_own_list() {
        let alice = Actor::owner("alice");
        let id = TokenId::generate(&Owner::new("alice").unwrap(), Timestamp::now()).unwrap();
        for (by, value) in [
            (SortBy::Name, ListValue::Name("größe".into())),
            (SortBy::ExpiresAt, ListValue::Time(None)),
            (SortBy::CreatedAt, ListValue::Time(Some(Timestamp::from_millisecond(-5).unwrap()))),
        ] {
            let position = ListKey { value, id };
            let cursor = write(&position, &alice, &query(by));
            assert_eq!(read(&cursor, &alice, &query(by)), Some(position));
            assert_eq!(read(&cursor, &Actor::owner("bob"), &query(by)), None);
            assert_eq!(read(&cursor, &alice, &query(SortBy::LastUsedAt)), None);
            let other = ListQuery { text: Some("x".into()), ..query(by) };
            assert_eq!(read(&cursor, &alice, &other), None);
        }
    }

    #[test]
    fn cut_extended_or_altered_cursor_is_rejected() {
        let alice = Actor::owner("alice");
        let id = TokenId::generate(&Owner::new("alice").unwrap(), Timestamp::now()).unwrap();
        let position = ListKey { value: ListValue::Name("ci".into()), id };
        let query = query(SortBy::Name);
        let cursor = write(&position, &alice, &query);
        for at in 0..cursor.len() {
            assert_eq!(read(&cursor[..at], &alice, &query), None);
            for replacement in ['0', 'f', 'A', '-'] {
                let mut altered = cursor.clone();
                altered.replace_range(at..=at, &replacement.to_string());
                if altered != cursor {
                    assert_eq!(read(&altered, &alice, &query), None, "{altered}");
                }
            }
        }
        assert_eq!(read(&format!("{cursor}00"), &alice, &query), None);
        assert_eq!(read(&cursor.to_uppercase(), &alice, &query), None);

        let audit = AuditQuery::newest(10);
        let cursor = write_audit(ChangeSeq::new(17), &alice, &audit);
        assert_eq!(read_audit(&cursor, &alice, &audit), Some(ChangeSeq::new(17)));
        assert_eq!(read_audit(&cursor[..cursor.len() - 2], &alice, &audit), None);
        let other = AuditQuery { ascending: true, ..audit };
        assert_eq!(read_audit(&cursor, &alice, &other), None);
    }

    proptest! {
        #[test]
        fn cursor_parser_never_panics(text: String, tail in "[antz0-9é-]{0,20}") {
            let alice = Actor::owner("alice");
            let query = query(SortBy::Name);
            let _ = read(&text, &alice, &query);
            let id = TokenId::from_uuid(Uuid::nil());
            let head = write(&ListKey { value: ListValue::Name(String::new()), id }, &alice, &query);
            let _ = read(&format!("{head}{tail}"), &alice, &query);
        }
    }
}
