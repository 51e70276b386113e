//! Cursors: positions in a list, each bound to one actor and to the list's filters and order.
//!
//! A cursor is hexadecimal text: a check value, then the position. The check value is a hash over
//! the position, the actor, the filters and the order. A cursor that was cut, altered or sent with
//! another list has a wrong check value, so it is reported as an error and never yields a wrong
//! page.
//!
//! The check value is not a signature. A forged cursor only selects another position in a list that
//! the actor may read anyway.

use std::fmt::Debug;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::actor::Actor;
use crate::error::Error;
use crate::hex;
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
        ListValue::Name(name) => format!("n{name}"),
    };
    seal(&format!("{}{value}", position.id.as_uuid().simple()), by, &identity(query))
}

/// Reads the position from a cursor. Returns `None` if the text is not a cursor of this list.
pub(crate) fn read(text: &str, by: &Actor, query: &ListQuery) -> Option<ListKey> {
    let position = open(text, by, &identity(query))?;
    let (id, value) = position.split_at_checked(32)?;
    let id = TokenId::from_uuid(Uuid::try_parse(id).ok()?);
    let by_name = query.sort.by == SortBy::Name;
    let value = match value.split_at_checked(1)? {
        ("a", "") if !by_name => ListValue::Time(None),
        ("t", millis) if !by_name => {
            ListValue::Time(Some(Timestamp::from_millisecond(millis.parse().ok()?).ok()?))
        }
        ("n", name) if by_name => ListValue::Name(name.to_owned()),
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

/// Returns what the queries of all pages of a list have in common.
fn identity(query: &ListQuery) -> ListQuery {
    ListQuery { now: Timestamp::UNIX_EPOCH, after: None, limit: 0, ..query.clone() }
}

/// Returns what the queries of all pages of an audit trail have in common.
fn audit_identity(query: &AuditQuery) -> AuditQuery {
    AuditQuery { after: None, limit: 0, ..query.clone() }
}

/// Writes a position together with its check value. The hashed text names each field and escapes
/// each string, so that no two lists have the same text. A version that changes a field of the
/// query rejects the cursors of other versions, also while nodes of both are running.
fn seal(position: &str, by: &Actor, identity: &impl Debug) -> String {
    let sealed = format!("{:?}", (position, by.id(), by.role(), identity));
    let hash = Sha256::digest(sealed.as_bytes());
    hex::encode(&hash[..CHECK_LEN / 2]) + &hex::encode(position.as_bytes())
}

/// Returns the position in a cursor. Each position has exactly one cursor in each list.
fn open(text: &str, by: &Actor, identity: &impl Debug) -> Option<String> {
    let position = String::from_utf8(hex::decode(text.get(CHECK_LEN..)?)?).ok()?;
    (text == seal(&position, by, identity)).then_some(position)
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
