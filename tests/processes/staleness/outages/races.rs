//! Changes during lookups that are in flight, and callers that are cancelled.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hallpass_core::{AuthError, Hallpass, Issued, Principal};
use hallpass_memory::MemoryStore;
use hallpass_testkit::{FaultyStore, Operation};
use tokio::task::JoinHandle;

use hallpass_tests::nodes::{
    NEVER, accepts, alice, check, is_rejected, is_unavailable, issue, node, owner, settings, until,
};

type Verdict = Result<Principal, AuthError>;

fn spawn_check(hallpass: &Hallpass, token: &Arc<Issued>) -> JoinHandle<Verdict> {
    let (hallpass, token) = (hallpass.clone(), Arc::clone(token));
    tokio::spawn(async move { check(&hallpass, &token).await })
}

/// Tests that the result of a lookup that began before a revocation is not used by a check that
/// began after it, neither through the shared lookup nor through the cache.
#[tokio::test(flavor = "multi_thread")]
async fn check_does_not_use_a_lookup_from_before_a_revocation() {
    for capacity in [64 << 20, 1] {
        let store = FaultyStore::new(MemoryStore::new());
        let hallpass = node(&store, settings().max_staleness(NEVER).capacity_bytes(capacity));
        let token = Arc::new(issue(&hallpass).await);
        let gate = store.faults().on(Operation::Get).once().hold();
        let leader = spawn_check(&hallpass, &token);
        gate.arrived(1).await;
        assert_eq!(hallpass.revoke_owner(&alice(), &owner("alice"), None).await.unwrap(), 1);
        let followers: Vec<_> = (0..100).map(|_| spawn_check(&hallpass, &token)).collect();
        tokio::time::sleep(Duration::from_millis(20)).await;
        gate.open();
        for follower in followers {
            let verdict = follower.await.unwrap();
            assert!(is_rejected(&verdict), "{verdict:?}");
        }
        // The first check began before the revocation, so both results are correct.
        let _ = leader.await.unwrap();
        assert!(is_rejected(&check(&hallpass, &token).await), "a stale record was cached");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_request_that_starts_after_a_revocation_is_accepted() {
    let store = FaultyStore::new(MemoryStore::new());
    let hallpass = node(&store, settings());
    let token = Arc::new(issue(&hallpass).await);
    let gate = store.faults().on(Operation::Get).once().hold();
    let timed_check = || {
        let (hallpass, token) = (hallpass.clone(), Arc::clone(&token));
        tokio::spawn(async move { (Instant::now(), check(&hallpass, &token).await) })
    };
    let mut in_flight: Vec<_> = (0..5_000).map(|_| timed_check()).collect();
    gate.arrived(1).await;
    let revoking = tokio::spawn({
        let hallpass = hallpass.clone();
        async move {
            hallpass.revoke_owner(&alice(), &owner("alice"), None).await.unwrap();
            Instant::now()
        }
    });
    in_flight.extend((0..5_000).map(|_| timed_check()));
    let revoked_at = revoking.await.unwrap();
    in_flight.extend((0..1_000).map(|_| timed_check()));
    gate.open();
    let mut after = 0;
    for check in in_flight {
        let (start, verdict) = check.await.unwrap();
        assert!(!is_unavailable(&verdict), "{verdict:?}");
        if start > revoked_at {
            after += 1;
            assert!(is_rejected(&verdict), "accepted after the revocation: {verdict:?}");
        }
    }
    assert!(after >= 1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cancelled_waiters_do_not_affect_the_others() {
    let store = FaultyStore::new(MemoryStore::new());
    let hallpass = node(&store, settings());
    let token = Arc::new(issue(&hallpass).await);
    let gate = store.faults().on(Operation::Get).stall();
    // The check that leads the lookup is cancelled, too.
    let mut leave = vec![spawn_check(&hallpass, &token)];
    gate.arrived(1).await;
    let mut stay = Vec::new();
    for number in 0..2_000 {
        leave.push(spawn_check(&hallpass, &token));
        if number % 40 == 0 {
            stay.push(spawn_check(&hallpass, &token));
        }
        if number % 3 == 0 {
            leave[number / 3].abort();
        }
    }
    for waiter in &leave {
        waiter.abort();
    }
    for waiter in leave {
        let result = waiter.await;
        assert!(result.is_err_and(|error| error.is_cancelled()), "the check was not cancelled");
    }
    gate.open();
    for waiter in stay {
        assert!(waiter.await.unwrap().is_ok(), "a check that was not cancelled failed");
    }
    assert!(accepts(&hallpass, &token).await);
    // A lookup can be joined for half a second.
    let asked = store.faults().calls(Operation::Get);
    assert!(asked <= 10, "{asked} lookups");
    hallpass.revoke(&alice(), token.record.id).await.unwrap();
    assert!(is_rejected(&check(&hallpass, &token).await));
}

/// Tests that a call which finds nothing left to revoke or delete still removes the tokens from
/// this node's cache.
#[tokio::test(flavor = "multi_thread")]
async fn ending_an_already_ended_token_still_clears_the_local_cache() {
    let truth = MemoryStore::new();
    let elsewhere = node(&FaultyStore::new(truth.clone()), settings());
    for round in 0..4 {
        let store = FaultyStore::new(truth.clone());
        // The node is not notified of changes. It reads the log once and then no more.
        store.faults().on(Operation::WaitForChange).lose_answer();
        let hallpass = node(&store, settings().max_staleness(NEVER).poll(NEVER));
        let token = issue(&elsewhere).await;
        let id = token.record.id;
        assert!(accepts(&hallpass, &token).await);
        until("the node has read the log", async || store.faults().calls(Operation::Changes) > 0)
            .await;
        assert!(accepts(&hallpass, &token).await);
        let what = match round {
            0 => {
                elsewhere.revoke(&alice(), id).await.unwrap();
                hallpass.revoke(&alice(), id).await.unwrap();
                "revoke"
            }
            1 => {
                elsewhere.revoke(&alice(), id).await.unwrap();
                assert_eq!(
                    hallpass.revoke_owner(&alice(), &owner("alice"), None).await.unwrap(),
                    0
                );
                "revoke_all"
            }
            2 => {
                elsewhere.delete(&alice(), id, None).await.unwrap();
                let deleted = hallpass.delete_many(&alice(), &[id]).await.unwrap();
                assert_eq!(deleted.not_found, [id]);
                "delete_many"
            }
            _ => {
                elsewhere.delete_all(&alice()).await.unwrap();
                assert_eq!(hallpass.delete_all(&alice()).await.unwrap(), 0);
                "delete_all"
            }
        };
        let verdict = check(&hallpass, &token).await;
        assert!(is_rejected(&verdict), "after {what}: {verdict:?}");
    }
}
