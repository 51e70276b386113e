//! Nodes on a store that breaks, and what their checks answer.
#![expect(clippy::missing_panics_doc, reason = "what helps a test panics where the test fails")]

use std::time::{Duration, Instant};

use hallpass_cache::{CacheSettings, Cached};
use hallpass_core::store::TokenStore;
use hallpass_core::{Actor, AuthError, Hallpass, Issued, Limits, NewToken, Owner, Principal};
use hallpass_testkit::FaultyStore;
use tokio::runtime::{Builder, Handle};

/// Far more than anything here takes: a test that waits so long has hung.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A bound that no test reaches.
pub const NEVER: Duration = Duration::from_secs(600);

/// More than the bound, with something to spare: that it is exact is a test of its own.
#[must_use]
pub fn beyond(bound: Duration) -> Duration {
    bound + Duration::from_millis(50)
}

/// A cache that looks at the log often, and waits for its store for as long as a test does.
pub fn settings() -> CacheSettings {
    CacheSettings::default().poll(Duration::from_millis(20)).load_deadline(PATIENCE)
}

/// A node on that store, with a cache.
#[must_use]
pub fn node<S: TokenStore>(store: &FaultyStore<S>, settings: CacheSettings) -> Hallpass {
    let cached = Cached::with_settings(store.clone(), settings);
    Hallpass::builder(cached).limits(Limits::default().unlimited_tokens()).build()
}

/// Somebody with tokens.
#[must_use]
pub fn alice() -> Actor {
    Actor::owner("alice")
}

/// Whoever has that name.
#[must_use]
pub fn owner(name: &str) -> Owner {
    Owner::new(name).expect("an owner")
}

/// A token of alice's.
pub async fn issue(hallpass: &Hallpass) -> Issued {
    hallpass.issue(&alice(), NewToken::named("ci")).await.expect("a token")
}

/// So many of them.
pub async fn issue_many(hallpass: &Hallpass, many: usize) -> Vec<Issued> {
    let mut all = Vec::new();
    for _ in 0..many {
        all.push(issue(hallpass).await);
    }
    all
}

/// What a check of the token answers.
///
/// # Errors
///
/// It is denied.
pub async fn check(hallpass: &Hallpass, issued: &Issued) -> Result<Principal, AuthError> {
    let check = hallpass.authenticate(issued.token.reveal().as_bytes());
    tokio::time::timeout(PATIENCE, check).await.expect("no check hangs")
}

/// 200.
pub async fn accepts(hallpass: &Hallpass, issued: &Issued) -> bool {
    check(hallpass, issued).await.is_ok()
}

/// 401.
#[must_use]
pub fn is_refused(verdict: &Result<Principal, AuthError>) -> bool {
    matches!(verdict, Err(AuthError::Rejected(_)))
}

/// 503.
#[must_use]
pub fn is_unavailable(verdict: &Result<Principal, AuthError>) -> bool {
    matches!(verdict, Err(AuthError::Unavailable(_)))
}

/// Waits until it is so.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < PATIENCE, "it never was so that {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A runtime with one thread, until the process ends.
#[must_use]
pub fn runtime_of_one_thread() -> Handle {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let handle = runtime.handle().clone();
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    handle
}
