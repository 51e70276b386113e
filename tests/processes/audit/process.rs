//! A server of the management API in its own process, which a test kills while it commits changes.

use std::io::Write as _;

use hallpass_core::store::TokenStore;
use hallpass_postgres::PostgresStore;
use hallpass_redis::{RedisSettings, RedisStore};
use hallpass_sqlite::SqliteStore;
use hallpass_tests::management::Server;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, place] = &arguments[..] else {
        panic!("expected two arguments: the kind of the store, and its path or URL");
    };
    if let Some(namespace) = kind.strip_prefix("redis:") {
        let settings = RedisSettings::default().namespace(namespace);
        serve(RedisStore::connect_with(place, settings).await.expect("the store opens")).await;
    } else if kind == "postgres" {
        serve(PostgresStore::connect(place).await.expect("the store opens")).await;
    } else {
        serve(SqliteStore::open(place).await.expect("the store opens")).await;
    }
}

/// Prints the address of the server and serves until the process is killed.
async fn serve(store: impl TokenStore) {
    let server = Server::start(store).await;
    println!("{}", server.address);
    std::io::stdout().flush().expect("the test reads the address");
    std::future::pending::<()>().await;
}
