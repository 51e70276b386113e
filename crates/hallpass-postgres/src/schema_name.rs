//! The name of the schema that contains the tables, and its insertion into statements.

use std::borrow::Cow;

use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

/// The schema that the text of the statements names.
const DEFAULT: &str = "hallpass";

/// The name of the schema that contains the store's tables.
///
/// A name consists of lower-case letters, digits and underscores. So it has the same meaning with
/// and without quotes, and it can be written into a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SchemaName(Cow<'static, str>);

impl Default for SchemaName {
    fn default() -> Self {
        Self(Cow::Borrowed(DEFAULT))
    }
}

impl SchemaName {
    /// Checks a name. Names that begin with `pg_` belong to the server.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        let is_valid = matches!(name.len(), 1..=63)
            && name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit())
            && name.bytes().next().is_some_and(is_letter)
            && !name.starts_with("pg_");
        is_valid.then(|| Self(Cow::Owned(name.to_owned())))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Writes the name into a statement of this crate. The quotes are for names that are keywords.
    pub(crate) fn write<'q>(&self, sql: &'q str) -> Cow<'q, str> {
        if self.0 == DEFAULT {
            return Cow::Borrowed(sql);
        }
        let name = self.as_str();
        let sql = sql.replace("hallpass.", &format!("\"{name}\"."));
        let sql = sql.replace("SCHEMA hallpass", &format!("SCHEMA \"{name}\""));
        Cow::Owned(sql.replace("'hallpass'", &format!("'{name}'")))
    }

    /// Returns the text of a statement of this crate.
    pub(crate) fn sql(&self, sql: &'static str) -> SqlStr {
        match self.write(sql) {
            Cow::Borrowed(sql) => sql.into_sql_str(),
            Cow::Owned(sql) => AssertSqlSafe(sql).into_sql_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_lower_case_names_are_accepted() {
        let longest = "a".repeat(63);
        for name in ["hallpass", "_tokens2", "user", &longest] {
            assert_eq!(SchemaName::parse(name).unwrap().as_str(), name);
        }
        let too_long = "a".repeat(64);
        for name in
            ["", "2nd", "Tokens", "a b", "a\"b", "a'b", "a.b", "a;b", "größe", "pg_x", &too_long]
        {
            assert_eq!(SchemaName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn name_replaces_the_default_one_everywhere() {
        let sql = "CREATE SCHEMA hallpass; SELECT f('hallpass.a'), pg_notify('hallpass', '') FROM hallpass.b";
        assert_eq!(SchemaName::default().write(sql), sql);
        assert_eq!(
            SchemaName::parse("user").unwrap().write(sql),
            "CREATE SCHEMA \"user\"; SELECT f('\"user\".a'), pg_notify('user', '') FROM \"user\".b"
        );
    }
}
