//! The SQL dialect of PostgreSQL for the statements that [`hallpass_sql`] builds, and the binding
//! of values.

use hallpass_core::TokenId;
use hallpass_sql::{Dialect, Value};
use jiff::Timestamp;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgHasArrayType, PgTypeInfo};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Encode, Postgres, Type};

use crate::schema_name::SchemaName;

/// A statement with the values that were bound to it.
pub(crate) type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// Selects a time in milliseconds since 1970. PostgreSQL has no years before -4713, so an earlier
/// time is stored as -infinity, and read as the earliest time that jiff can represent. Infinity
/// makes the statement fail.
///
/// `date_part` is faster than `extract`, whose decimal numbers take longer. A double represents the
/// milliseconds of every year precisely enough.
macro_rules! millis {
    ($column:literal, $name:literal) => {
        concat!(
            "CASE ",
            $column,
            " WHEN '-infinity' THEN (-377705023201000)::int8 ELSE (date_part('epoch', ",
            $column,
            ") * 1000)::int8 END AS ",
            $name
        )
    };
}

/// The SQL dialect of PostgreSQL.
#[derive(Debug)]
pub(crate) struct PostgresDialect;

impl Dialect for PostgresDialect {
    const TOKENS: &'static str = "hallpass.tokens AS t";

    /// The newest entry of the log has the number of the clock. The index finds this entry
    /// immediately, whereas the clock's row has many old versions as long as a long transaction may
    /// still read them.
    const CLOCK: &'static str =
        "(SELECT coalesce(max(seq), 0) AS seq FROM hallpass.changes WHERE seq > 0)";

    /// The log without the rows that withdraw changes.
    const CHANGES: &'static str = "(SELECT * FROM hallpass.changes WHERE seq > 0) AS changes";

    const RECORD: &'static str = concat!(
        "uuid_send(t.id) AS id, t.owner, t.name, t.description, \
         array_to_string(t.scopes, ' ') AS scopes, t.metadata, ",
        millis!("t.created_at", "created_at"),
        ", ",
        millis!("t.expires_at", "expires_at"),
        ", ",
        millis!("t.last_used_at", "last_used_at"),
        ", ",
        millis!("t.revoked_at", "revoked_at"),
        ", ",
        millis!("t.regenerated_at", "regenerated_at"),
        ", ",
        millis!("t.previous_until", "previous_until"),
        ", t.revision"
    );

    const ENTRY: &'static str = concat!(
        "seq, ",
        millis!("at", "at"),
        ", kind, actor, owner, uuid_send(token_id) AS token_id, count, details"
    );

    fn value(number: usize, _: &Value) -> String {
        format!("${number}")
    }

    fn contains(text: &str, part: &str) -> String {
        format!("strpos({text}, {part}) > 0")
    }

    fn has_scope(scope: &str) -> String {
        format!("{scope} = ANY (t.scopes)")
    }
}

/// Prepares a statement that [`hallpass_sql`] has built.
pub(crate) fn built<'q>(
    statement: &'q hallpass_sql::Statement,
    schema: &SchemaName,
) -> Statement<'q> {
    // The text consists of fixed parts and numbered places: see `PostgresDialect::value`.
    let sql = AssertSqlSafe(schema.write(&statement.sql).into_owned());
    bind_all(sqlx::query(sql), &statement.values)
}

/// Binds values one after the other.
pub(crate) fn bind_all<'q>(statement: Statement<'q>, values: &'q [Value]) -> Statement<'q> {
    values.iter().fold(statement, |statement, value| match value {
        Value::Id(id) => statement.bind(id.map(Uuid)),
        Value::Text(text) => statement.bind(text.as_deref()),
        Value::Integer(number) => statement.bind(*number),
        Value::Time(time) => statement.bind(time.map(Timestamptz)),
        Value::Bytes(bytes) => statement.bind(bytes.as_deref()),
    })
}

/// An id as PostgreSQL's type `uuid`.
///
/// The driver's feature `uuid` would do this too. But it adds all of the driver's databases to the
/// lock files of applications, where the SQLite library conflicts with that of other crates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uuid(pub(crate) TokenId);

impl Type<Postgres> for Uuid {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(2950))
    }
}

impl PgHasArrayType for Uuid {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(2951))
    }
}

impl Encode<'_, Postgres> for Uuid {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(self.0.as_uuid().as_bytes());
        Ok(IsNull::No)
    }
}

/// A time as PostgreSQL's type `timestamptz`, with millisecond precision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timestamptz(pub(crate) Timestamp);

/// The epoch of `timestamptz`, 2000-01-01, in milliseconds since 1970.
const EPOCH: i64 = 946_684_800_000;

/// The earliest `timestamptz`, in the year -4713, in milliseconds since 1970.
const EARLIEST: i64 = -210_866_803_200_000;

impl Type<Postgres> for Timestamptz {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1184))
    }
}

impl PgHasArrayType for Timestamptz {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1185))
    }
}

impl Encode<'_, Postgres> for Timestamptz {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let millis = self.0.as_millisecond();
        // The smallest number stands for -infinity.
        let micros = if millis < EARLIEST { i64::MIN } else { (millis - EPOCH) * 1000 };
        buffer.extend_from_slice(&micros.to_be_bytes());
        Ok(IsNull::No)
    }
}
