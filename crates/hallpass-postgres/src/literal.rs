//! Statements with their values written into them.
//!
//! A change is sent as one message of several statements, and what passes a transaction pooler is
//! sent without being prepared: neither can carry its values apart. So each value becomes a literal
//! here that cannot be anything but itself: digits, hexadecimal digits, or characters that mean
//! nothing to PostgreSQL in any of its settings.

use std::fmt::Write as _;

use hallpass_core::TokenId;
use jiff::Timestamp;
use sqlx::AssertSqlSafe;

/// A value as PostgreSQL reads it in a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Literal(String);

impl Literal {
    pub(crate) fn null() -> Self {
        Self("NULL".to_owned())
    }

    /// A text that is absent, with its type for where nothing else says it.
    pub(crate) fn text_null() -> Self {
        Self("NULL::text".to_owned())
    }

    /// An id, or none, with its type.
    pub(crate) fn optional_id(value: Option<TokenId>) -> Self {
        value.map_or_else(|| Self("NULL::uuid".to_owned()), Self::id)
    }

    /// A time, or none, with its type.
    pub(crate) fn optional_time(value: Option<Timestamp>) -> Self {
        value.map_or_else(|| Self("NULL::timestamptz".to_owned()), Self::time)
    }

    pub(crate) fn integer(value: i64) -> Self {
        // In quotes, so that a minus is never taken for an operator.
        Self(format!("'{value}'::int8"))
    }

    pub(crate) fn text(value: &str) -> Self {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b" _.:/@+-".contains(&b);
        if value.bytes().all(is_plain) {
            Self(format!("'{value}'::text"))
        } else {
            Self(format!("convert_from(decode('{}','hex'),'UTF8')", hex(value.as_bytes())))
        }
    }

    pub(crate) fn bytes(value: &[u8]) -> Self {
        Self(format!("decode('{}','hex')", hex(value)))
    }

    pub(crate) fn id(value: TokenId) -> Self {
        Self(format!("'{value}'::uuid"))
    }

    pub(crate) fn ids(values: impl IntoIterator<Item = TokenId>) -> Self {
        Self(format!("'{{{}}}'::uuid[]", joined(values)))
    }

    pub(crate) fn integers(values: impl IntoIterator<Item = i64>) -> Self {
        Self(format!("'{{{}}}'::int8[]", joined(values)))
    }

    pub(crate) fn time(value: Timestamp) -> Self {
        Self(format!("'{}'::timestamptz", time(value)))
    }

    pub(crate) fn times(values: impl IntoIterator<Item = Timestamp>) -> Self {
        Self(format!("'{{{}}}'::timestamptz[]", joined(values.into_iter().map(time))))
    }

    /// NULL if there is no value.
    pub(crate) fn optional<T>(value: Option<T>, literal: impl FnOnce(T) -> Self) -> Self {
        value.map_or_else(Self::null, literal)
    }
}

fn joined(values: impl IntoIterator<Item = impl ToString>) -> String {
    let values: Vec<_> = values.into_iter().map(|value| value.to_string()).collect();
    values.join(",")
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes everything");
    }
    text
}

/// To the millisecond. PostgreSQL writes years before the first in another way than RFC 3339 and
/// knows none before 4714 BC: they are all one time, before every other.
fn time(value: Timestamp) -> String {
    let text = format!("{value:.3}");
    if text.starts_with('-') || text.starts_with("0000") { "-infinity".to_owned() } else { text }
}

/// The number of the first place of an event's values.
const FIRST_EVENT_PLACE: usize = 101;

/// A statement, or several, with their values in them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script(String);

impl Script {
    /// Puts the values in the places `$1`, `$2` and so on.
    ///
    /// # Panics
    ///
    /// There is a place without a value.
    pub(crate) fn new(template: &'static str, values: &[Literal]) -> Self {
        let mut script = Self::default();
        script.push(template, values);
        script
    }

    /// Puts more behind it.
    pub(crate) fn push(&mut self, template: &'static str, values: &[Literal]) -> &mut Self {
        self.push_with_event(template, values, &[])
    }

    /// Appends a change. Its event's values are in the places from `$101` on, so that the places of
    /// its own values do not depend on how many the event has.
    pub(crate) fn push_with_event(
        &mut self,
        template: &'static str,
        values: &[Literal],
        event: &[Literal],
    ) -> &mut Self {
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('$') {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            let (number, after) = after.split_at(digits);
            let place: usize = number.parse().expect("a place is a number");
            self.0.push_str(before);
            let value = match place.checked_sub(FIRST_EVENT_PLACE) {
                Some(place) => &event[place],
                None => &values[place - 1],
            };
            self.0.push_str(&value.0);
            rest = after;
        }
        self.0.push_str(rest);
        self
    }

    pub(crate) fn to_sql(&self) -> AssertSqlSafe<String> {
        // Made of this crate's own templates and of literals, and of nothing else.
        AssertSqlSafe(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_mean_anything_is_written_in_hexadecimal() {
        assert_eq!(Literal::text("ci bot/7").0, "'ci bot/7'::text");
        for text in ["'", "\\", "a'; DROP TABLE x; --", "$1", "ä", "\0", "%", "\"", "?", "{a}"] {
            let literal = Literal::text(text).0;
            let hex = literal.strip_prefix("convert_from(decode('").unwrap();
            let hex = hex.strip_suffix("','hex'),'UTF8')").unwrap();
            assert!(hex.bytes().all(|b| b.is_ascii_hexdigit()), "{literal}");
        }
    }

    #[test]
    fn values_are_put_where_their_places_are_and_never_read_again() {
        let values = [Literal::integer(-7), Literal::text("$1"), Literal::null()];
        let script = Script::new("a $1, $2; b ($3)[$1]", &values);
        let text = "convert_from(decode('2431','hex'),'UTF8')";
        assert_eq!(script.0, format!("a '-7'::int8, {text}; b (NULL)['-7'::int8]"));
    }

    #[test]
    fn times_are_written_to_the_millisecond() {
        for (time, expected) in [
            ("2026-11-22T13:00:00.0425Z", "'2026-11-22T13:00:00.042Z'::timestamptz"),
            ("1969-12-31T23:59:59.999Z", "'1969-12-31T23:59:59.999Z'::timestamptz"),
            ("0001-01-01T00:00:00Z", "'0001-01-01T00:00:00.000Z'::timestamptz"),
            ("0000-12-31T23:59:59Z", "'-infinity'::timestamptz"),
            ("-009999-01-02T02:00:00Z", "'-infinity'::timestamptz"),
        ] {
            assert_eq!(Literal::time(time.parse().unwrap()).0, expected);
        }
    }
}
