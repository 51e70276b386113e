//! Tests of SQLite's query plans. The cost of a statement must not depend on the number of tokens
//! of other owners.

use hallpass_core::store::{AuditQuery, ChangeSeq, ListQuery, Sort, SortBy, TokenUse};
use hallpass_core::{Owner, Revision, Status, TokenId};
use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _, SqliteConnection};

use crate::schema::MIGRATIONS;
use crate::sql::{self, SqliteDialect};
use crate::tokens::uses_json;

/// Creates 10,000 tokens of 200 owners, ten of them alice's, and a log entry for each.
async fn crowded() -> SqliteConnection {
    let mut connection = SqliteConnectOptions::new().connect().await.unwrap();
    for migration in MIGRATIONS {
        sqlx::raw_sql(*migration).execute(&mut connection).await.unwrap();
    }
    let fill = "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 10000) \
                INSERT INTO hallpass_tokens (id, owner, name, description, scopes, metadata, \
                created_at, expires_at, revoked_at, revision, algorithm, digest) \
                SELECT randomblob(16), iif(n <= 10, 'alice', 'owner ' || (n % 200)), 'ci', '', '', '', \
                n, iif(n % 2, n, NULL), iif(n % 9, NULL, n), 1, 'sha256-v1', zeroblob(32) FROM number; \
                INSERT INTO hallpass_changes SELECT row_number() OVER (), 0, 'token', 0, 'issued', owner, owner, id, 1, '' \
                FROM hallpass_tokens";
    sqlx::raw_sql(fill).execute(&mut connection).await.unwrap();
    connection
}

/// Returns SQLite's plan for a statement, one step per line.
async fn plan(connection: &mut SqliteConnection, statement: &str) -> String {
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    let steps = sqlx::query(explain).fetch_all(connection).await.unwrap();
    steps.iter().map(|step| step.get::<&str, _>("detail").to_owned() + "\n").collect()
}

#[tokio::test]
async fn tokens_are_found_by_the_primary_key() {
    let mut connection = crowded().await;
    // With and without statistics, because an operator may run ANALYZE.
    for _ in 0..2 {
        for statement in
            [&sql::GET, sql::LIMIT, &sql::UPDATE, sql::DELETE, sql::DELETE_OF, sql::RECORD_USES]
        {
            let plan = plan(&mut connection, statement).await;
            assert!(plan.contains(" USING PRIMARY KEY (id=?)"), "{statement}: {plan}");
            assert!(!scans_tokens(&plan), "{statement}: {plan}");
        }
        sqlx::raw_sql("ANALYZE").execute(&mut connection).await.unwrap();
    }
}

#[tokio::test]
async fn many_uses_are_recorded_by_one_statement() {
    let mut connection = crowded().await;
    let rows = sqlx::query("SELECT id, revision FROM hallpass_tokens ORDER BY id LIMIT 500");
    let rows = rows.fetch_all(&mut connection).await.unwrap();
    let mut uses: Vec<TokenUse> = rows
        .iter()
        .map(|row| TokenUse {
            id: TokenId::from_uuid(uuid::Uuid::from_slice(row.get("id")).unwrap()),
            revision: Revision::new(row.get::<i64, _>("revision").cast_unsigned()),
            at: Timestamp::from_second(60).unwrap(),
        })
        .collect();
    // One token has several uses, of which the latest counts. One use is at another revision.
    uses.push(TokenUse { at: Timestamp::from_second(61).unwrap(), ..uses[0] });
    uses.push(TokenUse { at: Timestamp::from_second(59).unwrap(), ..uses[0] });
    uses[1].revision = Revision::new(7);
    for moved in [499, 0] {
        let record = sqlx::query(sql::RECORD_USES).bind(uses_json(&uses));
        assert_eq!(record.execute(&mut connection).await.unwrap().rows_affected(), moved);
    }
    let latest =
        "SELECT max(last_used_at), count(*) FROM hallpass_tokens WHERE last_used_at IS NOT NULL";
    let latest = sqlx::query(latest).fetch_one(&mut connection).await.unwrap();
    assert_eq!((latest.get::<i64, _>(0), latest.get::<i64, _>(1)), (61_000, 499));
}

#[tokio::test]
async fn tokens_of_an_owner_are_found_by_index() {
    let mut connection = crowded().await;
    let mut statements: Vec<String> =
        [sql::LIMIT, sql::DELETE_OWNER, sql::REVOKE_OWNER].map(str::to_owned).into();
    for status in [None, Some(Status::Active), Some(Status::Expired), Some(Status::Revoked)] {
        for by in [SortBy::CreatedAt, SortBy::Name, SortBy::ExpiresAt, SortBy::LastUsedAt] {
            let query = ListQuery {
                owner: Some(Owner::new("alice").unwrap()),
                status,
                expires_before: Some(Timestamp::UNIX_EPOCH),
                unused_since: Some(Timestamp::UNIX_EPOCH),
                previous_secret: true,
                sort: Sort { by, descending: true },
                ..everything()
            };
            statements.push(hallpass_sql::list::<SqliteDialect>(&query).sql);
        }
    }
    // With and without statistics, because an operator may run ANALYZE.
    for _ in 0..2 {
        for statement in &statements {
            let plan = plan(&mut connection, statement).await;
            let by_owner = [
                "INDEX hallpass_tokens_by_owner (owner=?",
                "COVERING INDEX hallpass_tokens_by_owner (owner=?",
            ];
            assert!(by_owner.iter().any(|index| plan.contains(index)), "{statement}: {plan}");
            assert!(!scans_tokens(&plan), "{statement}: {plan}");
        }
        sqlx::raw_sql("ANALYZE").execute(&mut connection).await.unwrap();
    }
}

#[tokio::test]
async fn default_list_needs_no_sorting_and_counts_use_an_index() {
    let mut connection = crowded().await;
    let plan = plan(&mut connection, &hallpass_sql::list::<SqliteDialect>(&everything()).sql).await;
    assert!(plan.contains("SCAN t USING INDEX hallpass_tokens_by_creation"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    assert!(plan.contains("SCAN t USING COVERING INDEX hallpass_tokens_by_status"), "{plan}");
}

#[tokio::test]
async fn pruning_and_the_log_use_indexes() {
    let mut connection = crowded().await;
    let prune = plan(&mut connection, sql::PRUNE).await;
    assert!(prune.contains("INDEX hallpass_tokens_by_expiry (expires_at<?"), "{prune}");
    assert!(prune.contains("INDEX hallpass_tokens_by_status (revoked_at<?"), "{prune}");
    assert!(!prune.contains("SCAN hallpass_tokens"), "{prune}");
    let changes = plan(&mut connection, sql::CHANGES).await;
    assert!(
        changes.contains("SEARCH hallpass_changes USING INTEGER PRIMARY KEY (rowid>?)"),
        "{changes}"
    );
}

#[tokio::test]
async fn audit_pages_of_a_token_and_an_owner_use_an_index() {
    let mut connection = crowded().await;
    let newest = AuditQuery { after: Some(ChangeSeq::new(9)), ..AuditQuery::newest(10) };
    let owner = AuditQuery { owner: Some(Owner::new("alice").unwrap()), ..newest.clone() };
    let token_id = Some(TokenId::from_uuid(uuid::Uuid::nil()));
    let token = AuditQuery { token_id, ..newest };
    for (query, index) in [
        (owner, "INDEX hallpass_changes_by_owner (owner=? AND seq<?)"),
        (token, "INDEX hallpass_changes_by_token (token_id=? AND seq<?)"),
    ] {
        let plan = plan(&mut connection, &hallpass_sql::audit::<SqliteDialect>(&query).sql).await;
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}

fn scans_tokens(plan: &str) -> bool {
    plan.contains("SCAN hallpass_tokens") || plan.contains("SCAN t ") || plan.contains("SCAN t\n")
}

fn everything() -> ListQuery {
    ListQuery::everything(Timestamp::UNIX_EPOCH, 20)
}
