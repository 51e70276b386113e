//! Tests of the store contract on a real Redis server.

mod audit;
mod bulk;
mod guards;
mod lists;
mod tokens;

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use hallpass_core::store::{
    Change, ChangeKind, ListQuery, PreviousSecret, Secrets, StoredToken, TokenStore as _,
};
use hallpass_core::{Digest, Event, EventKind, Metadata, Owner, ScopeSet, TokenId, TokenRecord};
use hallpass_redis::{RedisSettings, RedisStore};
use hallpass_servers::{Package, Proxy, Redis};
use jiff::Timestamp;

/// Starts a server for one test.
fn server() -> Redis {
    Package::REDIS.ensure_installed().expect("redis-server");
    Redis::start().expect("a server")
}

async fn open(url: &str) -> RedisStore {
    RedisStore::connect(url).await.expect("the store opens")
}

/// Opens a new namespace on a server that tests share.
async fn store() -> RedisStore {
    static SERVER: LazyLock<Redis> = LazyLock::new(server);
    static NUMBERS: AtomicU64 = AtomicU64::new(0);
    let namespace = format!("test-{}", NUMBERS.fetch_add(1, Ordering::Relaxed));
    let settings = RedisSettings::default().namespace(namespace);
    RedisStore::connect_with(SERVER.url(), settings).await.expect("the store opens")
}

/// Opens a store whose connections go through a proxy.
async fn through_proxy(server: &Redis) -> (Proxy, RedisStore) {
    let proxy = Proxy::to(server.address()).expect("a proxy");
    let store = open(&proxy.url(server.url())).await;
    (proxy, store)
}

/// Runs a command on the server directly, without the store.
fn run(server: &Redis, command: &[&str]) -> String {
    server.run(command).expect("a reply")
}

fn owner(name: &str) -> Owner {
    Owner::new(name).expect("an owner")
}

/// Returns the time some milliseconds after a fixed day.
fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + millis).expect("a time")
}

fn digest(byte: u8) -> Digest {
    Digest::from_parts("sha256-v1", &[byte; 32]).expect("a digest")
}

fn secrets(byte: u8) -> Secrets {
    Secrets { current: digest(byte), previous: None }
}

fn token(of: &str, name: &str) -> StoredToken {
    let owner = owner(of);
    let id = TokenId::generate(&owner, at(0)).expect("randomness");
    StoredToken { record: TokenRecord::new(id, owner, name, at(0)), secrets: secrets(1) }
}

/// A token with a value in every field.
fn full_token() -> StoredToken {
    let mut token = token("alice \u{1F600}", "name \"'\\ \u{1F600}");
    let record = &mut token.record;
    record.description = "line\r\n\tline".into();
    record.scopes = ScopeSet::parse(["jobs:run", "projects:read"]).unwrap();
    record.metadata = Metadata::new([("team", "a/b \u{1F600}"), ("ticket", "7")]).unwrap();
    record.created_at = at(-5);
    record.expires_at = Some(at(1));
    record.last_used_at = Some(at(2));
    record.revoked_at = Some(at(3));
    record.regenerated_at = Some(at(4));
    record.previous_secret_expires_at = Some(at(5));
    let previous = PreviousSecret { digest: digest(b':'), until: at(5) };
    token.secrets.previous = Some(previous);
    token
}

fn edited(record: &TokenRecord, edit: impl FnOnce(&mut TokenRecord)) -> Change {
    let mut record = record.clone();
    edit(&mut record);
    record.revision = record.revision.next();
    Change { record, secrets: None, kind: ChangeKind::Updated }
}

fn revocation(record: &TokenRecord) -> Change {
    let change = edited(record, |record| record.revoked_at = Some(at(1)));
    Change { kind: ChangeKind::Revoked, ..change }
}

fn event() -> Event {
    Event::new(EventKind::Updated, at(0))
}

/// A query for all tokens on one page.
fn everything() -> ListQuery {
    ListQuery::everything(at(0), 100_000)
}

async fn head(store: &RedisStore) -> u64 {
    store.changes(None, 0).await.expect("the log").head.seq.get()
}

/// Reads the record of a token that exists.
async fn record(store: &RedisStore, id: TokenId) -> TokenRecord {
    store.get(id).await.expect("a reply").value.expect("a token").record
}
