//! Stores whose clock differs from this machine's clock.

use hallpass_core::{AuthError, NewToken};
use hallpass_memory::MemoryStore;
use jiff::{SignedDuration, Timestamp};

use super::{Flaw, Node, alice, settings};

/// Returns whether a node accepts a token that expires in three minutes, after the node has read
/// its store's time.
async fn three_minutes_are_left(flaw: Flaw) -> bool {
    let store = MemoryStore::new();
    let node = Node::build(&store, flaw, settings(), |builder| builder);
    let expires = Timestamp::now() + SignedDuration::from_mins(3);
    let new = NewToken::named("ci").expires(expires.to_string());
    let issued = node.hallpass.issue(&alice(), new).await.unwrap();
    // The first check starts the follower, which may have read the store's time already.
    let _ = node.check(&issued).await;
    node.catch_up().await;
    let checked = node.check(&issued).await;
    assert!(!checked.as_ref().is_err_and(AuthError::is_unavailable));
    checked.is_ok()
}

#[tokio::test]
async fn token_expires_by_the_clock_that_is_ahead() {
    assert!(three_minutes_are_left(Flaw::None).await);
    assert!(three_minutes_are_left(Flaw::ClockIsBehind).await);
    assert!(!three_minutes_are_left(Flaw::ClockIsAhead).await);
}
