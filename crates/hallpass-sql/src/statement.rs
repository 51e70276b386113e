//! Statements, their values, and the dialects of databases.

use std::marker::PhantomData;

use hallpass_core::TokenId;
use jiff::Timestamp;

/// A value of a statement. `None` is NULL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// The id of a token.
    Id(Option<TokenId>),
    /// A text.
    Text(Option<String>),
    /// A number.
    Integer(Option<i64>),
    /// A time, with millisecond precision.
    Time(Option<Timestamp>),
    /// Bytes.
    Bytes(Option<Vec<u8>>),
}

impl Value {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(Some(text.into()))
    }

    pub(crate) fn integer(number: i64) -> Self {
        Self::Integer(Some(number))
    }
}

/// A statement: its text, and its values in the order of their numbers.
#[derive(Clone, Debug)]
#[must_use]
pub struct Statement {
    /// The text. It consists of fixed parts and of [`Dialect::value`], never of values from
    /// outside, unless the dialect writes them as literals.
    pub sql: String,
    /// The values. The first has number 1.
    pub values: Vec<Value>,
}

/// A dialect: the parts of SQL that databases write differently.
///
/// Columns of tokens are qualified with the alias `t`. Otherwise, in `ORDER BY`, PostgreSQL would
/// interpret the name of a column as the converted value in [`RECORD`](Self::RECORD), and use no
/// index.
pub trait Dialect {
    /// The table of tokens with the alias `t`: `tokens AS t`.
    const TOKENS: &'static str;

    /// The table with a single row, which contains the newest `seq` and `nonce`.
    const CLOCK: &'static str;

    /// The table of log entries.
    const CHANGES: &'static str;

    /// The selected columns of a record, by the names that the [crate] lists. Includes
    /// `previous_until`.
    const RECORD: &'static str;

    /// The selected columns of an audit entry: `seq`, `at`, `kind`, `actor`, `owner`, `token_id`,
    /// `count` and `details`.
    const ENTRY: &'static str;

    /// Writes the placeholder of a value, such as `?1` or `$1`, with a cast if the column needs
    /// one.
    fn value(number: usize, value: &Value) -> String;

    /// Writes the condition that `text` contains `part`, without wildcards.
    fn contains(text: &str, part: &str) -> String;

    /// Writes the condition that `t.scopes` contains exactly `scope`.
    fn has_scope(scope: &str) -> String;

    /// Writes a column in a form for which the planner uses no index. A dialect whose planner
    /// chooses the right index anyway returns the column itself.
    #[must_use]
    fn unindexed(column: &str) -> String {
        column.to_owned()
    }
}

/// A builder for a statement.
pub(crate) struct Builder<D> {
    statement: Statement,
    dialect: PhantomData<D>,
}

impl<D: Dialect> Builder<D> {
    pub(crate) fn new() -> Self {
        Self {
            statement: Statement { sql: String::new(), values: Vec::new() },
            dialect: PhantomData,
        }
    }

    /// Adds parts of the text.
    pub(crate) fn push<const N: usize>(&mut self, parts: [&str; N]) -> &mut Self {
        self.statement.sql.extend(parts);
        self
    }

    /// Adds a value. Returns its placeholder, which may be used several times.
    pub(crate) fn value(&mut self, value: Value) -> String {
        let placeholder = D::value(self.statement.values.len() + 1, &value);
        self.statement.values.push(value);
        placeholder
    }

    pub(crate) fn finish(self) -> Statement {
        self.statement
    }
}
