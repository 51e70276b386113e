//! Tests that the cost of each statement does not depend on the number of other owners' tokens.
//! They read the plans that PostgreSQL uses for the statements as the store sends them.

use hallpass_core::store::{
    ChangeSeq, ListQuery, LogPosition, Sort, SortBy, TokenStore as _, TokenUse,
};
use hallpass_core::{Revision, Status, TokenId};
use hallpass_postgres::PostgresStore;
use hallpass_servers::Postgres;
use hallpass_tests::tokens::{at, digest, edited, event, owner, secrets, token};

use super::open;

/// Inserts 10,000 tokens of 200 owners, ten of them alice's.
const CROWD: &str = "INSERT INTO hallpass.tokens (id, owner, name, description, scopes, \
     created_at, expires_at, revoked_at, revision, algorithm, digest) \
     SELECT gen_random_uuid(), CASE WHEN n <= 10 THEN 'alice' ELSE 'owner ' || n % 200 END, 'ci', '', \
     '{}', to_timestamp(n), CASE WHEN n % 2 = 1 THEN to_timestamp(n) END, \
     CASE WHEN n % 9 = 0 THEN to_timestamp(n) END, 1, 'sha256-v1', decode(repeat('00', 32), 'hex') \
     FROM generate_series(1, 10000) AS n; \
     INSERT INTO hallpass.changes (seq, nonce, target, at, kind, owner, token_id, count, details) \
     SELECT row_number() OVER (), row_number() OVER (), 'token', now(), 'issued', owner, id, 1, '' \
     FROM hallpass.tokens; UPDATE hallpass.clock SET seq = 10000";

/// A store with many tokens, on a server that logs the plan of each statement.
struct Crowded {
    server: Postgres,
    store: PostgresStore,
}

impl Crowded {
    async fn new() -> Self {
        let explain = [
            "shared_preload_libraries=auto_explain",
            "auto_explain.log_min_duration=0",
            "auto_explain.log_nested_statements=on",
            "autovacuum=off",
        ];
        let server = Postgres::start_with(&explain).expect("a server with auto_explain");
        let store = open(server.url()).await;
        server.run(CROWD).expect("a crowd");
        Self { server, store }
    }

    /// Returns the plans of the statements that a call sends.
    async fn plan<T>(&self, call: impl AsyncFnOnce(&PostgresStore) -> T) -> String {
        let before = self.server.log().unwrap().len();
        call(&self.store).await;
        let log = self.server.log().unwrap();
        assert!(log.len() > before, "the server logged no plan");
        log[before..].to_owned()
    }

    /// Returns the id of one of alice's tokens.
    fn somebodys(&self) -> TokenId {
        let id = self.server.run("SELECT id FROM hallpass.tokens WHERE owner = 'alice' LIMIT 1");
        id.unwrap().parse().unwrap()
    }

    fn analyze(&self) {
        self.server.run("ANALYZE").unwrap();
    }
}

fn assert_no_scan(what: &str, plan: &str) {
    assert!(plan.contains("Query Text"), "{what}: no plan in {plan}");
    assert!(!plan.contains("Seq Scan on tokens"), "{what}: {plan}");
    assert!(!plan.contains("Seq Scan on changes"), "{what}: {plan}");
}

#[tokio::test]
async fn lookup_uses_the_keys_of_tokens_and_log() {
    let crowded = Crowded::new().await;
    // This runs with and without statistics, and often enough that PostgreSQL switches to the
    // generic plan.
    for _ in 0..2 {
        for _ in 0..8 {
            let id = crowded.somebodys();
            let plan = crowded.plan(async |store| store.get(id).await.unwrap()).await;
            assert_no_scan("find", &plan);
            assert!(plan.contains("Index Scan using tokens_pkey on tokens"), "{plan}");
            assert!(plan.contains("Backward using changes_pkey on changes"), "{plan}");
            assert_eq!(plan.matches("Query Text").count(), 1, "one statement: {plan}");
        }
        crowded.analyze();
    }
}

#[tokio::test]
async fn change_reads_only_its_own_token() {
    let crowded = Crowded::new().await;
    for _ in 0..2 {
        let new = token("alice", "new");
        let plan =
            crowded.plan(async |store| store.insert(&new, Some(50), &event()).await.unwrap()).await;
        assert_no_scan("insert", &plan);
        assert!(
            plan.contains("tokens_by_owner"),
            "the tokens of the owner must be counted by the index: {plan}"
        );
        let id = new.record.id;
        let change = edited(&new.record, |record| record.name = "changed".into());
        let plan = crowded.plan(async |store| store.update(&change, &event()).await.unwrap()).await;
        assert_no_scan("change", &plan);
        let plan = crowded.plan(async |store| {
            store.replace_digest(id, &digest(1), &secrets(2), &event()).await.unwrap()
        });
        assert_no_scan("rekey", &plan.await);
        let many =
            crowded.server.run("SELECT id FROM hallpass.tokens WHERE owner = 'owner 9'").unwrap();
        let many: Vec<_> = many.lines().map(|id| id.parse().unwrap()).chain([id]).collect();
        let plan = crowded
            .plan(async |store| store.delete_many(None, &many, &event()).await.unwrap())
            .await;
        assert_no_scan("delete_many", &plan);
        let plan = crowded
            .plan(async |store| store.delete(crowded.somebodys(), None, &event()).await.unwrap());
        assert_no_scan("delete", &plan.await);
        let plan = crowded.plan(async |store| {
            store.revoke_owner(&owner("alice"), None, at(1), &event()).await.unwrap()
        });
        assert_no_scan("revoke_owner", &plan.await);
        let plan = crowded
            .plan(async |store| store.delete_owner(&owner("owner 7"), &event()).await.unwrap());
        assert_no_scan("delete_owner", &plan.await);
        crowded.analyze();
        crowded
            .server
            .run("UPDATE hallpass.tokens SET owner = 'owner 7' WHERE owner = 'owner 8'")
            .unwrap();
    }
}

#[tokio::test]
async fn all_uses_are_one_statement_that_reads_only_their_tokens() {
    let crowded = Crowded::new().await;
    let ids = crowded.server.run("SELECT id FROM hallpass.tokens ORDER BY id LIMIT 500").unwrap();
    for round in 1..3 {
        let uses: Vec<_> = ids
            .lines()
            .map(|id| TokenUse {
                id: id.parse().unwrap(),
                revision: Revision::FIRST,
                at: at(round),
            })
            .collect();
        for of in [&uses[..], &uses[..1]] {
            let plan = crowded.plan(async |store| store.record_uses(of).await.unwrap()).await;
            assert_eq!(plan.matches("UPDATE hallpass.tokens").count(), 1, "{plan}");
            assert!(!plan.contains("clock"), "{plan}");
            assert_no_scan("record_uses", &plan);
            // A condition on all ids at once would compare each token with each use.
            assert!(!plan.contains("id = ANY"), "{plan}");
        }
        crowded.analyze();
    }
}

#[tokio::test]
async fn list_of_an_owner_uses_the_index() {
    let crowded = Crowded::new().await;
    for _ in 0..2 {
        for status in [None, Some(Status::Active), Some(Status::Expired), Some(Status::Revoked)] {
            for by in [SortBy::CreatedAt, SortBy::Name, SortBy::ExpiresAt, SortBy::LastUsedAt] {
                let query = ListQuery {
                    owner: Some(owner("alice")),
                    status,
                    unused_since: status.map(|_| at(9)),
                    previous_secret: status.is_some(),
                    sort: Sort { by, descending: true },
                    ..ListQuery::everything(at(0), 20)
                };
                let plan = crowded.plan(async |store| store.list(&query).await.unwrap()).await;
                assert_no_scan(&format!("{query:?}"), &plan);
                assert!(plan.contains("tokens_by_owner"), "{query:?}: {plan}");
            }
        }
        crowded.analyze();
    }
}

#[tokio::test]
async fn list_of_all_tokens_is_read_in_index_order() {
    let crowded = Crowded::new().await;
    crowded.analyze();
    let mut query = ListQuery::everything(at(0), 20);
    for _ in 0..3 {
        let mut last = None;
        let plan = crowded.plan(async |store| {
            last = store.list(&query).await.unwrap().records.pop();
        });
        let plan = plan.await;
        assert!(plan.contains("Scan Backward using tokens_by_creation on tokens"), "{plan}");
        assert!(plan.contains("Presorted Key: "), "{plan}");
        // The following page must start at its position in the index.
        query.after = last.map(|record| query.sort.key_of(&record));
        assert!(query.after.is_some());
    }
    assert!(
        crowded
            .plan(async |store| store.list(&query).await)
            .await
            .contains("Index Cond: (created_at <= ")
    );
}

#[tokio::test]
async fn prune_and_log_read_only_what_they_need() {
    let crowded = Crowded::new().await;
    crowded.analyze();
    let from = LogPosition { seq: ChangeSeq::new(9_990), nonce: 0 };
    for _ in 0..8 {
        let plan =
            crowded.plan(async |store| store.changes(Some(from), 1_000).await.unwrap()).await;
        assert_no_scan("changes", &plan);
        assert!(plan.contains("using changes_pkey on changes"), "{plan}");
    }
    let before = jiff::Timestamp::from_second(200).unwrap();
    let plan = crowded.plan(async |store| store.prune_log(before, 100).await.unwrap()).await;
    assert_no_scan("prune_log", &plan);
    assert!(plan.contains("One-Time Filter"), "a log without old entries must not be read: {plan}");
    let plan = crowded.plan(async |store| store.prune(before, 100, &event()).await.unwrap()).await;
    assert_no_scan("prune", &plan);
    for index in ["tokens_by_expiry", "tokens_by_revocation"] {
        assert!(plan.contains(&format!("using {index}")), "{plan}");
    }
}
