//! Nodes on a store with simulated faults, and helpers that check tokens on them.
#![expect(clippy::missing_panics_doc, reason = "a test helper panics if the test fails")]

use std::time::{Duration, Instant};

use hallpass_cache::{CacheSettings, Cached};
use hallpass_core::store::TokenStore;
use hallpass_core::{Actor, AuthError, Hallpass, Issued, Limits, NewToken, Owner, Principal};
use hallpass_testkit::FaultyStore;
use tokio::runtime::{Builder, Handle};

/// The time limit of every wait in a test. A test that exceeds it hangs.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A duration that no test reaches, for limits that must not take effect.
pub const NEVER: Duration = Duration::from_secs(600);

/// Returns a duration that is safely longer than a staleness limit. A separate test checks that the
/// limit is exact.
#[must_use]
pub fn beyond(bound: Duration) -> Duration {
    bound + Duration::from_millis(50)
}

/// Returns the settings of a cache that polls the change log often and waits for its store as long
/// as a test may take.
pub fn settings() -> CacheSettings {
    CacheSettings::default().poll(Duration::from_millis(20)).load_deadline(PATIENCE)
}

/// Creates a node with a cache on the given store.
#[must_use]
pub fn node<S: TokenStore>(store: &FaultyStore<S>, settings: CacheSettings) -> Hallpass {
    let cached = Cached::with_settings(store.clone(), settings);
    Hallpass::builder(cached).limits(Limits::default().unlimited_tokens()).build()
}

/// Returns the owner of most tokens in the tests.
#[must_use]
pub fn alice() -> Actor {
    Actor::owner("alice")
}

/// Returns the owner with the given name.
#[must_use]
pub fn owner(name: &str) -> Owner {
    Owner::new(name).expect("an owner")
}

/// Issues a token of alice.
pub async fn issue(hallpass: &Hallpass) -> Issued {
    hallpass.issue(&alice(), NewToken::named("ci")).await.expect("a token")
}

/// Issues `count` tokens of alice.
pub async fn issue_many(hallpass: &Hallpass, count: usize) -> Vec<Issued> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(issue(hallpass).await);
    }
    all
}

/// Checks a token.
///
/// # Errors
///
/// Returns an error if the token is rejected or the check is not possible.
pub async fn check(hallpass: &Hallpass, issued: &Issued) -> Result<Principal, AuthError> {
    let check = hallpass.authenticate(issued.token.reveal().as_bytes());
    tokio::time::timeout(PATIENCE, check).await.expect("the check hangs")
}

/// Returns whether the node accepts the token. The response to a request would be 200.
pub async fn accepts(hallpass: &Hallpass, issued: &Issued) -> bool {
    check(hallpass, issued).await.is_ok()
}

/// Returns whether the token was rejected. The response to a request would be 401.
#[must_use]
pub fn is_rejected(verdict: &Result<Principal, AuthError>) -> bool {
    matches!(verdict, Err(AuthError::Rejected(_)))
}

/// Returns whether the check was not possible. The response to a request would be 503.
#[must_use]
pub fn is_unavailable(verdict: &Result<Principal, AuthError>) -> bool {
    matches!(verdict, Err(AuthError::Unavailable(_)))
}

/// Waits until a condition is true. `what` describes it in the panic message.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !condition().await {
        assert!(began.elapsed() < PATIENCE, "timed out waiting until {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Starts a runtime with one thread, which runs until the process ends.
#[must_use]
pub fn runtime_of_one_thread() -> Handle {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let handle = runtime.handle().clone();
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    handle
}
