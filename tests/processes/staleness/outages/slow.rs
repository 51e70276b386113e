//! Stores that respond slowly.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use hallpass_core::{Hallpass, Issued};
use hallpass_memory::MemoryStore;
use hallpass_testkit::{FaultyStore, Operation};
use tokio::time::sleep;

use super::site::Site;
use hallpass_tests::nodes::{
    NEVER, PATIENCE, accepts, alice, beyond, check, is_rejected, is_unavailable, issue, issue_many,
    node, settings, until,
};

const DEADLINE: Duration = Duration::from_millis(100);

/// Starts `times` concurrent checks of each token.
fn check_at_once(
    hallpass: &Hallpass,
    tokens: &[Arc<Issued>],
    times: usize,
) -> Vec<tokio::task::JoinHandle<bool>> {
    let all = tokens.iter().flat_map(|token| std::iter::repeat_n(token, times));
    let check = |token: &Arc<Issued>| {
        let (hallpass, token) = (hallpass.clone(), Arc::clone(token));
        tokio::spawn(async move { accepts(&hallpass, &token).await })
    };
    all.map(check).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lookup_after_the_deadline_is_503_and_serves_the_next_request() {
    let site = Site::open(settings().load_deadline(DEADLINE).max_staleness(NEVER)).await;
    let token = site.issue().await;
    let gate = site.faults().on(Operation::Get).stall();
    let began = Instant::now();
    let answers = join_all((0..50).map(|_| site.get(&token))).await;
    assert!(answers.iter().all(|status| *status == 503), "{answers:?}");
    assert!(began.elapsed() >= DEADLINE, "the requests did not wait until the deadline");
    site.faults().heal();
    let asked = site.faults().calls(Operation::Get);
    gate.open();
    until("the lookup has ended", async || site.get(&token).await == 200).await;
    assert_eq!(asked, gate.arrivals());
    assert!(asked <= 2, "{asked} lookups of one token");
    assert_eq!(
        site.faults().calls(Operation::Get),
        asked,
        "the continued lookup did not fill the cache"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lookups_do_not_accumulate_if_the_store_hangs() {
    const LOADS: usize = 8;
    let bound = Duration::from_millis(400);
    let settings =
        settings().load_deadline(DEADLINE / 2).max_staleness(bound).concurrent_loads(LOADS);
    let store = FaultyStore::new(MemoryStore::new());
    let hallpass = node(&store, settings);
    let tokens = issue_many(&hallpass, 40).await;
    let gate = store.faults().on(Operation::Get).stall();
    let began = Instant::now();
    while began.elapsed() < bound * 3 {
        for verdict in join_all(tokens.iter().map(|token| check(&hallpass, token))).await {
            assert!(is_unavailable(&verdict), "{verdict:?}");
        }
    }
    // Each lookup is abandoned after the staleness limit. No lookup starts while the maximum number
    // is in flight.
    let rounds = began.elapsed().as_millis() / bound.as_millis() + 1;
    let asked = gate.arrivals();
    assert!(asked <= LOADS as u64 * rounds as u64, "{asked} lookups in {rounds} rounds");
    store.faults().heal();
    gate.open();
    for token in &tokens {
        until("the token is served again", async || accepts(&hallpass, token).await).await;
    }
}

/// Tests that the result of a lookup that takes longer than the staleness limit is not used. The
/// record is loaded again.
#[tokio::test(flavor = "multi_thread")]
async fn lookup_result_older_than_the_limit_is_not_used() {
    let bound = Duration::from_millis(200);
    let truth = MemoryStore::new();
    let (here, there) = (FaultyStore::new(truth.clone()), FaultyStore::new(truth));
    let (late, other) = (node(&here, settings().max_staleness(bound)), node(&there, settings()));
    let token = Arc::new(issue(&other).await);
    // The node does not see the change.
    here.faults().on(Operation::Changes).fail();
    here.faults().on(Operation::WaitForChange).lose_answer();
    let gate = here.faults().on(Operation::Get).once().hold();
    let waits = tokio::spawn({
        let (late, token) = (late.clone(), Arc::clone(&token));
        async move { check(&late, &token).await }
    });
    gate.arrived(1).await;
    other.revoke(&alice(), token.record.id).await.unwrap();
    sleep(beyond(bound)).await;
    gate.open();
    let verdict = waits.await.unwrap();
    assert!(verdict.is_err(), "{verdict:?}");
    assert!(
        is_rejected(&check(&late, &token).await),
        "the next check did not apply the revocation"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_token_is_read_once_when_the_lease_expires() {
    const TOKENS: usize = 48;
    let bound = Duration::from_millis(300);
    let store = FaultyStore::new(MemoryStore::new());
    let hallpass = node(&store, settings().max_staleness(bound));
    let tokens: Vec<_> = issue_many(&hallpass, TOKENS).await.into_iter().map(Arc::new).collect();
    for token in &tokens {
        assert!(accepts(&hallpass, token).await);
    }
    store.faults().on(Operation::Changes).fail();
    sleep(beyond(bound)).await;
    let before = store.faults().calls(Operation::Get);
    let gate = store.faults().on(Operation::Get).stall();
    let herd = check_at_once(&hallpass, &tokens, 20);
    let all = tokio::time::timeout(PATIENCE, gate.arrived(TOKENS as u64));
    all.await.expect("a token was not read");
    gate.open();
    store.faults().heal();
    for check in herd {
        assert!(check.await.unwrap());
    }
    assert_eq!(store.faults().calls(Operation::Get) - before, TOKENS as u64);
}

/// Tests that checks beyond the limit of concurrent loads get 503, and that retries succeed soon.
#[tokio::test(flavor = "multi_thread")]
async fn checks_beyond_the_load_limit_succeed_on_retry() {
    let bound = Duration::from_millis(300);
    let store = FaultyStore::new(MemoryStore::new());
    let hallpass = node(&store, settings().max_staleness(bound));
    let tokens: Vec<_> = issue_many(&hallpass, 500).await.into_iter().map(Arc::new).collect();
    store.faults().on(Operation::Changes).fail();
    store.faults().on(Operation::Get).delay(Duration::from_millis(5));
    let herd = tokens.iter().map(|token| async {
        until("the token is accepted", async || {
            let verdict = check(&hallpass, token).await;
            assert!(verdict.is_ok() || is_unavailable(&verdict), "{verdict:?}");
            verdict.is_ok()
        })
        .await;
    });
    join_all(herd).await;
}
