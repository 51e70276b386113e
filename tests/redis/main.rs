//! Tests that are specific to Redis: servers that must not be used, full memory, lost replies, and
//! servers that fail.

mod cluster;
mod damage;
mod emptied;
mod full;
mod history;
mod listener;
mod lost_replies;
mod numbers;
mod opening;
mod permissions;
mod rejections;
mod replicas;
mod secrets;
mod size;

use hallpass_core::store::{ListQuery, StoredToken, TokenStore as _};
use hallpass_core::{Owner, TokenId};
use hallpass_redis::{RedisSettings, RedisStore};
use hallpass_servers::Redis;
use hallpass_tests::tokens::{at, event};

/// Starts a server for one test.
fn server() -> Redis {
    Redis::start().expect("a server")
}

async fn open(server: &Redis) -> RedisStore {
    open_at(server.url()).await
}

async fn open_at(url: &str) -> RedisStore {
    RedisStore::connect_with(url, RedisSettings::default()).await.expect("the store opens")
}

/// Runs a command on the server, without the store.
fn run(server: &Redis, command: &[&str]) -> String {
    server.run(command).expect("the server answers")
}

/// Opens a plain connection, for commands with binary arguments.
async fn stranger(server: &Redis) -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(server.url()).expect("a URL");
    client.get_multiplexed_async_connection().await.expect("a connection")
}

/// Returns the key of a token.
fn key(id: TokenId) -> Vec<u8> {
    [b"{hallpass}t".as_slice(), id.as_uuid().as_bytes()].concat()
}

/// Selects everything on one page.
fn everything() -> ListQuery {
    ListQuery::everything(at(0), 100_000)
}

/// Returns the number of the newest log entry.
async fn head(store: &RedisStore) -> u64 {
    store.changes(None, 0).await.expect("an answer").head.seq.get()
}
