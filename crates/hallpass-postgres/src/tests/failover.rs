use hallpass_core::store::TokenStore as _;

use super::*;

/// Who follows the log of one database, on a primary and on the standby that takes its place.
struct Follower {
    guards: Guards,
    database: &'static str,
    old: PostgresStore,
}

impl Follower {
    async fn of(old: &Postgres, database: &'static str, guards: Guards) -> Self {
        let store = open(&old.create_database(database).unwrap(), guards).await;
        store.insert(&token("alice", "ci"), None, &event()).await.unwrap();
        Self { guards, database, old: store }
    }

    /// Whether the new primary's log, which has not the old one's last change, passes for the old
    /// one's.
    async fn takes_it_for_the_same(&self, new: &Postgres) -> bool {
        let start = self.old.changes(None, 0).await.unwrap().head;
        self.old.insert(&token("alice", "lost"), None, &event()).await.unwrap();
        let seen = self.old.changes(Some(start), 10).await.unwrap().entries[1].position;

        let url = format!("postgres://hallpass@{}/{}", new.address(), self.database);
        let store = open(&url, self.guards).await;
        assert_eq!(store.insert(&token("alice", "next"), None, &event()).await.unwrap(), seen.seq);
        store.changes(Some(seen), 10).await.unwrap().entries[0].position == seen
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_history_is_known_by_its_nonces() {
    const NONCES: Guards = Guards::without_part("($1)[place::int], 'token'", "0, 'token'");
    let old = Postgres::start().unwrap();
    let unguarded = Follower::of(&old, "unguarded", NONCES).await;
    let guarded = Follower::of(&old, "guarded", Guards::ON).await;
    let new = old.standby().unwrap();
    new.stop_following().unwrap();
    new.promote().unwrap();
    assert!(unguarded.takes_it_for_the_same(&new).await);
    assert!(!guarded.takes_it_for_the_same(&new).await);
}
