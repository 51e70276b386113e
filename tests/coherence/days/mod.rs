//! Bad days, row by row. Never a wrong verdict: trouble of the store is 503, never 401, never 200.

mod flood;
mod follow;
mod leave;
mod races;
mod rows;
mod site;
mod slow;
mod stop;
mod unreachable;

use std::time::{Duration, Instant};

use hallpass_cache::{CacheSettings, Cached};
use hallpass_core::store::TokenStore;
use hallpass_core::{Caller, Denied, Hallpass, Issued, Limits, NewToken, Owner, Principal};
use hallpass_testkit::FaultyStore;

/// Far more than anything here takes: a test that waits so long has hung.
const PATIENCE: Duration = Duration::from_secs(20);

/// A bound that no test reaches.
const NEVER: Duration = Duration::from_secs(600);

/// More than the bound, with something to spare: that it is exact is a test of its own.
fn beyond(bound: Duration) -> Duration {
    bound + Duration::from_millis(50)
}

fn settings() -> CacheSettings {
    CacheSettings::default().poll(Duration::from_millis(20)).load_deadline(PATIENCE)
}

/// A node on that store, with a cache.
fn node<S: TokenStore>(store: &FaultyStore<S>, settings: CacheSettings) -> Hallpass {
    let cached = Cached::with(store.clone(), settings);
    Hallpass::builder(cached).limits(Limits::default().unlimited_tokens()).build()
}

fn alice() -> Caller {
    Caller::owner("alice")
}

fn owner(name: &str) -> Owner {
    Owner::new(name).expect("an owner")
}

/// A token of alice's.
async fn issue(passes: &Hallpass) -> Issued {
    passes.issue(&alice(), NewToken::named("ci")).await.expect("a token")
}

async fn issue_many(passes: &Hallpass, many: usize) -> Vec<Issued> {
    let mut all = Vec::new();
    for _ in 0..many {
        all.push(issue(passes).await);
    }
    all
}

async fn check(passes: &Hallpass, issued: &Issued) -> Result<Principal, Denied> {
    let check = passes.authenticate(issued.token.reveal().as_bytes());
    tokio::time::timeout(PATIENCE, check).await.expect("no check hangs")
}

async fn accepts(passes: &Hallpass, issued: &Issued) -> bool {
    check(passes, issued).await.is_ok()
}

/// 401.
fn is_refused(verdict: &Result<Principal, Denied>) -> bool {
    matches!(verdict, Err(Denied::Refused(_)))
}

/// 503.
fn is_unavailable(verdict: &Result<Principal, Denied>) -> bool {
    matches!(verdict, Err(Denied::Unavailable(_)))
}

/// Waits until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < PATIENCE, "it never was so that {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
