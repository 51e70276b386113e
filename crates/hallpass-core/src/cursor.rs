//! The text of a cursor: a place in a list, bound to the caller, the filters and the order it was made for.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::actor::Actor;
use crate::store::{ListKey, ListQuery, ListValue, Sort};
use crate::token::TokenId;

const FINGERPRINT_LEN: usize = 16;
const ID_LEN: usize = 32;

/// Hexadecimal: fingerprint, id, one letter for the kind of value, the value.
pub(crate) fn write(place: &ListKey, by: &Actor, query: &ListQuery) -> String {
    let value = match &place.value {
        ListValue::Time(None) => "a".to_owned(),
        ListValue::Time(Some(time)) => format!("t{}", time.as_millisecond()),
        ListValue::Name(name) => {
            name.bytes().fold("n".to_owned(), |text, byte| text + &format!("{byte:02x}"))
        }
    };
    format!("{}{}{value}", fingerprint(by, query), place.id.as_uuid().simple())
}

/// The place, if the text is a cursor of this very list.
pub(crate) fn read(text: &str, by: &Actor, query: &ListQuery) -> Option<ListKey> {
    let (fingerprint_text, rest) = text.split_at_checked(FINGERPRINT_LEN)?;
    let (id, value) = rest.split_at_checked(ID_LEN)?;
    if fingerprint_text != fingerprint(by, query) {
        return None;
    }
    let id = TokenId::from_uuid(Uuid::try_parse(id).ok()?);
    let value = match value.split_at_checked(1)? {
        ("a", "") => ListValue::Time(None),
        ("t", millis) => {
            ListValue::Time(Some(Timestamp::from_millisecond(millis.parse().ok()?).ok()?))
        }
        ("n", hex) => ListValue::Name(unhex(hex)?),
        _ => return None,
    };
    // A name where the order is by time, or the other way round, cannot come from this list.
    let fits = matches!((query.sort.by, &value), (crate::store::SortBy::Name, ListValue::Name(_)))
        || matches!(&value, ListValue::Time(_) if query.sort.by != crate::store::SortBy::Name);
    let place = ListKey { value, id };
    // A place has one text. `t+5`, `n+5` and digits in upper case would be read, and nobody has written them.
    (fits && write(&place, by, query) == text).then_some(place)
}

fn unhex(hex: &str) -> Option<String> {
    if !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return None;
    }
    let bytes = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok())
        .collect::<Option<Vec<_>>>()?;
    String::from_utf8(bytes).ok()
}

/// What the cursor serves, in 64 bits. It guards against mix-ups, not attacks: a forged cursor is a
/// place in a list that its caller may see anyway.
fn fingerprint(by: &Actor, query: &ListQuery) -> String {
    let Sort { by: sort, descending } = query.sort;
    let served = (
        (by.id(), by.role()),
        (&query.owner, query.status, &query.text, &query.scope),
        (sort, descending),
    );
    let hash = Sha256::digest(format!("{served:?}").as_bytes());
    hash[..FINGERPRINT_LEN / 2]
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owner::Owner;
    use crate::store::SortBy;
    use proptest::prelude::*;

    fn query(by: SortBy) -> ListQuery {
        let sort = Sort { by, descending: false };
        ListQuery { sort, ..ListQuery::everything(Timestamp::UNIX_EPOCH, 20) }
    }

    #[test]
    fn a_cursor_serves_its_own_list_only() {
        let alice = Actor::owner("alice");
        let id = TokenId::generate(&Owner::new("alice").unwrap(), Timestamp::now()).unwrap();
        for (by, value) in [
            (SortBy::Name, ListValue::Name("größe".into())),
            (SortBy::ExpiresAt, ListValue::Time(None)),
            (SortBy::CreatedAt, ListValue::Time(Some(Timestamp::from_millisecond(-5).unwrap()))),
        ] {
            let place = ListKey { value, id };
            let cursor = write(&place, &alice, &query(by));
            assert_eq!(read(&cursor, &alice, &query(by)), Some(place));
            assert_eq!(read(&cursor, &Actor::owner("bob"), &query(by)), None);
            assert_eq!(read(&cursor, &alice, &query(SortBy::LastUsedAt)), None);
            let other = ListQuery { text: Some("x".into()), ..query(by) };
            assert_eq!(read(&cursor, &alice, &other), None);
            assert_eq!(read(&cursor[1..], &alice, &query(by)), None);
            let (head, _) = cursor.split_at(FINGERPRINT_LEN + ID_LEN);
            for other in ["t+5", "t05", "n+5", "n+5+5", "nC3B6"] {
                assert_eq!(read(&format!("{head}{other}"), &alice, &query(by)), None, "{other}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String, tail in "[antz0-9é-]{0,20}") {
            let alice = Actor::owner("alice");
            let query = query(SortBy::Name);
            let _ = read(&text, &alice, &query);
            let head = write(&ListKey { value: ListValue::Time(None), id: TokenId::from_uuid(Uuid::nil()) }, &alice, &query);
            let _ = read(&format!("{}{tail}", &head[..head.len() - 1]), &alice, &query);
        }
    }
}
