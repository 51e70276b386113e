//! Tests of every method of the store contract. Each test uses a file of its own.

mod changes;
mod connections;
mod lists;

use hallpass_core::store::{
    AuditQuery, Change, ChangeKind, ChangeSeq, ChangeTarget, ListQuery, LogPosition,
    PreviousSecret, Secrets, Sort, SortBy, StatusCounts, StoredToken, TokenStore as _, TokenUse,
};
use hallpass_core::{
    Digest, Event, EventKind, Metadata, Owner, Revision, Status, TokenId, TokenRecord,
};
use hallpass_sqlite::{ConnectError, SqliteStore};
use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tempfile::TempDir;

async fn store() -> (TempDir, SqliteStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("tokens.db")).await.unwrap();
    (directory, store)
}

async fn run(directory: &TempDir, sql: &str) {
    let path = directory.path().join("tokens.db");
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn owner(id: &str) -> Owner {
    Owner::new(id).unwrap()
}

fn digest(byte: u8) -> Digest {
    Digest::from_parts("sha256-v1", &[byte; 32]).unwrap()
}

fn token(of: &str, name: &str, created: i64) -> StoredToken {
    let owner = owner(of);
    let id = TokenId::generate(&owner, at(created)).unwrap();
    let record = TokenRecord::new(id, owner, name, at(created));
    StoredToken { record, secrets: Secrets { current: digest(1), previous: None } }
}

fn event(kind: EventKind, token: &StoredToken, second: i64) -> Event {
    let mut event = Event::new(kind, at(second));
    event.actor = Some(owner("root"));
    event.owner = Some(token.record.owner.clone());
    event.token_id = Some(token.record.id);
    event
}

fn about_owner(kind: EventKind, of: &str, second: i64) -> Event {
    let mut event = Event::new(kind, at(second));
    event.owner = Some(owner(of));
    event
}

async fn insert(store: &SqliteStore, token: &StoredToken) -> ChangeSeq {
    store.insert(token, None, &event(EventKind::Issued, token, 0)).await.unwrap()
}

async fn record(store: &SqliteStore, token: &StoredToken) -> TokenRecord {
    store.get(token.record.id).await.unwrap().value.unwrap().record
}

async fn targets(store: &SqliteStore) -> Vec<ChangeTarget> {
    let start = LogPosition { seq: ChangeSeq::new(1), nonce: 0 };
    let batch = store.changes(Some(start), 1_000).await.unwrap();
    batch.entries.into_iter().map(|entry| entry.target).collect()
}

async fn trail(store: &SqliteStore) -> Vec<Event> {
    let query = AuditQuery { ascending: true, ..AuditQuery::newest(1_000) };
    store.audit(&query).await.unwrap().entries.into_iter().map(|entry| entry.event).collect()
}

/// Collects texts into a [`ScopeSet`](hallpass_core::ScopeSet).
trait CollectScopes {
    fn collect_scopes(self) -> hallpass_core::ScopeSet;
}

impl<I: Iterator<Item = &'static str>> CollectScopes for I {
    fn collect_scopes(self) -> hallpass_core::ScopeSet {
        hallpass_core::ScopeSet::parse(self).unwrap()
    }
}
