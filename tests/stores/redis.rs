//! Runs the suite on one server, with a namespace for each case.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use hallpass_redis::{RedisSettings, RedisStore};
use hallpass_servers::Redis;
use hallpass_testkit::conformance::StoreUnderTest;

static SERVER: LazyLock<Redis> = LazyLock::new(|| Redis::start().expect("a server"));

/// A namespace that each handle opens with its own connections.
struct Namespace(String);

impl StoreUnderTest for Namespace {
    type Store = RedisStore;

    async fn fresh() -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        Self(format!("test-{}", NUMBERS.fetch_add(1, Ordering::Relaxed)))
    }

    async fn node(&self) -> RedisStore {
        let settings = RedisSettings::default().namespace(&self.0);
        RedisStore::connect_with(SERVER.url(), settings).await.expect("a store")
    }
}

hallpass_testkit::store_conformance!(Namespace);
