//! What is Redis's own: servers that must not be used, memory that is full, answers that never come, and what becomes of a
//! store when its server does not do what it should.

mod cluster;
mod damage;
mod emptied;
mod full;
mod history;
mod index;
mod nudges;
mod numbers;
mod opening;
mod permissions;
mod refusals;
mod replicas;
mod secrets;
mod size;
mod unanswered;

use hallpass_core::store::{ListQuery, StoredToken, TokenStore as _};
use hallpass_core::{Owner, TokenId};
use hallpass_redis::{RedisSettings, RedisStore};
use hallpass_servers::Redis;
use hallpass_tests::tokens::at;

/// A server of one's own.
fn server() -> Redis {
    Redis::start().expect("a server")
}

async fn open(server: &Redis) -> RedisStore {
    open_at(server.url()).await
}

async fn open_at(url: &str) -> RedisStore {
    RedisStore::connect_with(url, RedisSettings::default()).await.expect("the store opens")
}

/// Runs a command as a stranger who knows nothing of Hallpass. Answers what the server says.
fn run(server: &Redis, command: &[&str]) -> String {
    server.run(command).expect("the server answers")
}

/// A connection to do as a stranger what takes more than text.
async fn stranger(server: &Redis) -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(server.url()).expect("a URL");
    client.get_multiplexed_async_connection().await.expect("a connection")
}

/// The key that a token is kept under.
fn key(id: TokenId) -> Vec<u8> {
    [b"{hallpass}t".as_slice(), id.as_uuid().as_bytes()].concat()
}

/// A list of everything on one page.
fn everything() -> ListQuery {
    ListQuery::everything(at(0), 100_000)
}

/// How far the log has come.
async fn head(store: &RedisStore) -> u64 {
    store.changes(None, 0).await.expect("an answer").head.seq.get()
}
