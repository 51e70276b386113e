//! What each statement costs does not depend on how many tokens others have: SQLite's own word on it.

use hallpass_core::store::{ListQuery, Sort, SortBy, TokenUse};
use hallpass_core::{Owner, Revision, Status};
use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _, SqliteConnection};

use crate::schema::MIGRATIONS;
use crate::{list, sql};

/// 10,000 tokens of 200 owners, ten of them alice's.
async fn crowded() -> SqliteConnection {
    let mut connection = SqliteConnectOptions::new().connect().await.unwrap();
    for migration in MIGRATIONS {
        sqlx::raw_sql(*migration).execute(&mut connection).await.unwrap();
    }
    let fill = "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 10000) \
                INSERT INTO tokens (id, owner, name, description, scopes, \
                created_at, expires_at, revoked_at, revision, algorithm, digest) \
                SELECT randomblob(16), iif(n <= 10, 'alice', 'owner ' || (n % 200)), 'ci', '', '', \
                n, iif(n % 2, n, NULL), iif(n % 9, NULL, n), 1, 'sha256', zeroblob(32) FROM number; \
                INSERT INTO changes SELECT row_number() OVER (), 0, 'token', id, NULL, 0 FROM tokens";
    sqlx::raw_sql(fill).execute(&mut connection).await.unwrap();
    connection
}

/// How SQLite would run the statement, a step a line.
async fn plan(connection: &mut SqliteConnection, statement: &str) -> String {
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    let steps = sqlx::query(explain).fetch_all(connection).await.unwrap();
    steps.iter().map(|step| step.get::<&str, _>("detail").to_owned() + "\n").collect()
}

#[tokio::test]
async fn a_token_is_found_by_the_key_of_its_table() {
    let mut connection = crowded().await;
    // With and without statistics: an operator may well run ANALYZE.
    for _ in 0..2 {
        for statement in
            [sql::FIND, sql::TAKEN, sql::REPLACE, sql::DELETE, sql::DELETE_OF, sql::TOUCH]
        {
            let plan = plan(&mut connection, statement).await;
            assert!(plan.contains("tokens USING PRIMARY KEY (id=?)"), "{statement}: {plan}");
            assert!(!plan.contains("SCAN tokens"), "{statement}: {plan}");
        }
        sqlx::raw_sql("ANALYZE").execute(&mut connection).await.unwrap();
    }
}

#[tokio::test]
async fn any_number_of_uses_is_one_statement() {
    let mut connection = crowded().await;
    let rows = sqlx::query("SELECT id, revision FROM tokens ORDER BY id LIMIT 500");
    let rows = rows.fetch_all(&mut connection).await.unwrap();
    let mut uses: Vec<TokenUse> = rows
        .iter()
        .map(|row| TokenUse {
            id: crate::row::id(row.get("id")).unwrap(),
            revision: Revision::new(row.get::<i64, _>("revision").cast_unsigned()),
            at: Timestamp::from_second(60).unwrap(),
        })
        .collect();
    // Of one token several: the latest counts. And one of another revision.
    uses.push(TokenUse { at: Timestamp::from_second(61).unwrap(), ..uses[0] });
    uses.push(TokenUse { at: Timestamp::from_second(59).unwrap(), ..uses[0] });
    uses[1].revision = Revision::new(7);
    for moved in [499, 0] {
        let touch = sqlx::query(sql::TOUCH).bind(crate::row::uses(&uses));
        assert_eq!(touch.execute(&mut connection).await.unwrap().rows_affected(), moved);
    }
    let latest = "SELECT max(last_used_at), count(*) FROM tokens WHERE last_used_at IS NOT NULL";
    let latest = sqlx::query(latest).fetch_one(&mut connection).await.unwrap();
    assert_eq!((latest.get::<i64, _>(0), latest.get::<i64, _>(1)), (61_000, 499));
}

#[tokio::test]
async fn an_owners_tokens_are_found_by_their_index() {
    let mut connection = crowded().await;
    let mut statements: Vec<String> =
        [sql::TAKEN, sql::DELETE_OWNER, sql::REVOKE_OWNER].map(str::to_owned).into();
    for status in [None, Some(Status::Active), Some(Status::Expired), Some(Status::Revoked)] {
        for by in [SortBy::CreatedAt, SortBy::Name, SortBy::ExpiresAt, SortBy::LastUsedAt] {
            let query = ListQuery {
                owner: Some(Owner::new("alice").unwrap()),
                status,
                sort: Sort { by, descending: true },
                ..everything()
            };
            statements
                .extend([list::count(&query).into_string(), list::page(&query).into_string()]);
        }
    }
    // With and without statistics: an operator may well run ANALYZE.
    for _ in 0..2 {
        for statement in &statements {
            let plan = plan(&mut connection, statement).await;
            let by_owner =
                ["INDEX tokens_by_owner (owner=?", "COVERING INDEX tokens_by_owner (owner=?"];
            assert!(by_owner.iter().any(|index| plan.contains(index)), "{statement}: {plan}");
            assert!(!plan.contains("SCAN tokens"), "{statement}: {plan}");
        }
        sqlx::raw_sql("ANALYZE").execute(&mut connection).await.unwrap();
    }
}

#[tokio::test]
async fn everybodys_tokens_come_in_order_without_sorting() {
    let mut connection = crowded().await;
    let plan = plan(&mut connection, &list::page(&everything()).into_string()).await;
    assert!(plan.contains("SCAN tokens USING INDEX tokens_by_creation"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}

#[tokio::test]
async fn pruning_and_the_log_look_at_what_they_need() {
    let mut connection = crowded().await;
    let prune = plan(&mut connection, sql::PRUNE).await;
    assert!(prune.contains("INDEX tokens_by_expiry (expires_at<?"), "{prune}");
    assert!(prune.contains("INDEX tokens_by_revocation (revoked_at<?"), "{prune}");
    assert!(!prune.contains("SCAN tokens"), "{prune}");
    let changes = plan(&mut connection, sql::CHANGES).await;
    assert!(changes.contains("SEARCH changes USING INTEGER PRIMARY KEY (rowid>?)"), "{changes}");
}

fn everything() -> ListQuery {
    ListQuery::everything(Timestamp::UNIX_EPOCH, 20)
}
