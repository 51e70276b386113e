//! Tests in which the server's clock jumps. Revocation does not depend on any clock. Expiry does: a
//! token expires by the clock that is ahead, as long as it is ahead.

use std::time::Instant;

use hallpass_core::store::{LogPosition, TokenStore as _};
use hallpass_core::{Actor, Issued, NewToken};
use hallpass_testkit::Operation;
use hallpass_tests::late::Late;
use hallpass_tests::nodes::{NEVER, accepts, alice, owner, until};
use jiff::{SignedDuration, Timestamp};

use crate::backend::Backend;
use crate::node::{BOUND, Node, settings, truth};
use crate::on_each_store;

/// An hour in seconds.
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// The offsets of the server's clock in seconds: an hour ahead, an hour behind, five minutes ahead
/// and behind.
const JUMPS: [i64; 4] = [HOUR, -HOUR, 300, -300];

/// Issues a token that expires after this time, by the clock of the node.
async fn ending_in(node: &Node, span: SignedDuration) -> Issued {
    let end = (node.hallpass.now() + span).to_string();
    node.hallpass.issue(&alice(), NewToken::named("ci").expires(end)).await.unwrap()
}

fn job() -> Actor {
    Actor::system("nightly-job")
}

async fn clock_jumps_of_the_server_do_not_delay_a_revocation<B: Backend>() {
    let server = B::alone_with_clock();
    let elsewhere = Node::on(&server, settings()).await;
    let node = Node::on(&server, settings()).await;
    // Without a staleness bound, this node depends on the change log alone.
    let unbound = Node::on(&server, settings().max_staleness(NEVER)).await;
    let stays = elsewhere.issue().await;
    unbound.recovers(&stays, 200).await;
    unbound.listens(&server).await;
    let begun = head(&server).await;
    let mut read_again = 0;
    for jump in JUMPS {
        let token = elsewhere.issue().await;
        for node in [&node, &unbound] {
            node.recovers(&token, 200).await;
            node.unplug();
        }
        server.set_clock(jump);
        elsewhere.hallpass.revoke(&alice(), token.record.id).await.unwrap();
        let revoked = Instant::now();
        elsewhere.recovers(&token, 401).await;
        let last = node.last_accepted(&token, revoked).await;
        assert!(last <= BOUND, "{jump}: accepted {:?} after the bound", last - BOUND);
        assert_eq!(
            unbound.get(&token).await,
            200,
            "a node without a staleness bound accepts the token"
        );
        for node in [&node, &unbound] {
            node.network.heal();
            until("the node rejects the token", async || node.get(&token).await == 401).await;
            node.recovers(&stays, 200).await;
        }
        let before = unbound.faults.calls(Operation::Get);
        assert_eq!(unbound.get(&stays).await, 200);
        read_again += unbound.faults.calls(Operation::Get) - before;
    }
    // One reload is allowed, because the revoked token and this one may share a stripe.
    assert!(read_again <= 1, "the cached token was invalidated {read_again} times");
    let log = B::open(server.url()).await.changes(Some(begun), 100).await.unwrap();
    let numbers = log.entries.iter().map(|line| line.position.seq.get() - begun.seq.get());
    assert!(numbers.eq(0..=2 * JUMPS.len() as u64), "{:?}", log.entries);
}

async fn head<B: Backend>(server: &B) -> LogPosition {
    B::open(server.url()).await.changes(None, 0).await.unwrap().head
}

async fn token_is_expired_only_while_the_server_clock_is_ahead<B: Backend>() {
    let server = B::alone_with_clock();
    let node = Node::on(&server, settings()).await;
    let (endless, short) =
        (node.issue().await, ending_in(&node, SignedDuration::from_mins(4)).await);
    let becomes = async |token: &Issued, status| {
        until("the node has received the server's time", async || node.get(token).await == status)
            .await;
        assert_eq!(node.get(&endless).await, 200);
    };
    becomes(&short, 200).await;
    for jump in JUMPS {
        server.set_clock(jump);
        becomes(&short, if jump >= 300 { 401 } else { 200 }).await;
    }
    // A token that is revoked while the clock is ahead stays revoked.
    server.set_clock(HOUR);
    becomes(&short, 401).await;
    let made_then = ending_in(&node, SignedDuration::from_mins(10)).await;
    becomes(&made_then, 200).await;
    node.hallpass.revoke(&alice(), short.record.id).await.unwrap();
    server.set_clock(0);
    until("the node has received the server's time", async || {
        node.hallpass.now() < made_then.record.created_at
    })
    .await;
    becomes(&made_then, 200).await;
    assert_eq!(node.get(&short).await, 401);
}

async fn prune_log_ignores_a_server_clock_that_is_ahead<B: Backend>() {
    let server = B::alone_with_clock();
    let late = Late::new(B::open(server.url()).await, B::open(server.url()).await).await;
    let follower = Node::on(&server, settings().max_staleness(NEVER)).await;
    let token = follower.issue().await;
    follower.recovers(&token, 200).await;
    follower.listens(&server).await;
    let before = head(&server).await;
    late.elsewhere.owner_changed(&alice(), &owner("carol")).await.unwrap();
    late.elsewhere.owner_changed(&alice(), &owner("carol")).await.unwrap();

    let asked = follower.faults.calls(Operation::Get);
    let is_trimmed = async || {
        truth(&server).await.prune(&job(), Timestamp::UNIX_EPOCH).await.unwrap();
        let log = B::open(server.url()).await.changes(Some(before), 100).await.unwrap();
        log.entries.first().is_none_or(|line| line.position != before)
    };
    for clock in [-2 * DAY, DAY + HOUR, 500 * DAY] {
        server.set_clock(clock);
        assert!(!is_trimmed().await, "a wrong server clock makes log entries look old");
    }
    // Changes are logged before and after the clock is corrected.
    for clock in [DAY + HOUR, 0] {
        server.set_clock(clock);
        late.elsewhere.owner_changed(&alice(), &owner("dave")).await.unwrap();
    }
    assert_eq!(follower.get(&token).await, 200);
    assert!(
        follower.faults.calls(Operation::Get) <= asked + 1,
        "the trimmed log invalidated the cache of a node that had read all entries"
    );
    late.catches_up().await;
    follower.hallpass.revoke(&alice(), token.record.id).await.unwrap();
    follower.recovers(&token, 401).await;
}

/// A deleted token could not be restored after the clock is corrected.
async fn prune_ignores_a_server_clock_that_is_ahead<B: Backend>() {
    let server = B::alone_with_clock();
    let node = Node::on(&server, settings()).await;
    let live = ending_in(&node, SignedDuration::from_hours(12)).await;
    node.recovers(&live, 200).await;
    server.set_clock(DAY);
    until("the node has received the server's time", async || node.get(&live).await == 401).await;
    let all = Timestamp::now() + SignedDuration::from_hours(48);
    node.hallpass.prune(&job(), all).await.unwrap();
    server.set_clock(0);
    assert!(accepts(&truth(&server).await, &live).await);
    until("the node has received the server's time", async || node.get(&live).await == 200).await;
}

on_each_store!(
    clock_jumps_of_the_server_do_not_delay_a_revocation,
    token_is_expired_only_while_the_server_clock_is_ahead,
    prune_log_ignores_a_server_clock_that_is_ahead,
    prune_ignores_a_server_clock_that_is_ahead,
);
