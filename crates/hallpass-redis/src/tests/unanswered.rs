use hallpass_core::store::TokenStore as _;
use hallpass_servers::{Flow, Way};

use super::*;

/// Whether a change is said not to have been made that was, because its answer was lost.
async fn is_denied_and_done(guards: Guards) -> bool {
    let server = server();
    let (network, store) = by_way_of(&server, guards).await;
    // From here on the server knows the script.
    store.announce(&owner("bob")).await.unwrap();
    network.reset_after(Way::ToClient, 0);
    let announced = store.announce(&owner("alice")).await;
    assert_eq!(store.changes(None, 0).await.unwrap().head.seq.get(), 2, "it was made");
    announced.is_err_and(|error| !error.is_outcome_unknown())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_found_out() {
    assert!(is_denied_and_done(Guards::without(Guard::FoundOut)).await);
    assert!(!is_denied_and_done(Guards::ON).await);
}

/// Whether a change takes place that was said not to have been made, when it arrives at last.
async fn is_denied_and_done_later(guards: Guards) -> bool {
    let server = server();
    let (network, store) = by_way_of(&server, guards).await;
    let (one, other) = (token("alice", "ci"), token("alice", "ci"));
    for token in [&one, &other] {
        store.insert(token, None).await.unwrap();
    }
    // From here on the server knows the script.
    store.delete(other.record.id, None).await.unwrap();
    // Those that there are hold back what is sent; the next ones do not.
    let held = network.connections();
    held.iter().for_each(|connection| connection.set(Way::ToServer, Flow::Hold));
    let denied = store.delete(one.record.id, None).await.unwrap_err();
    assert!(denied.is_unavailable() && !denied.is_outcome_unknown(), "{denied:?}");
    assert!(store.find(one.record.id).await.unwrap().value.is_some());
    let before = calls(&server, "evalsha");
    held.iter().for_each(|connection| connection.set(Way::ToServer, Flow::Pass));
    arrived(&server, "evalsha", before).await;
    store.find(one.record.id).await.unwrap().value.is_none()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_fenced_off() {
    const FENCE: Guards =
        Guards::without_line("redis.call('SET', prefix .. 'f' .. ARGV[1], '', 'EX', 3600)", "");
    let (without, with) =
        tokio::join!(is_denied_and_done_later(FENCE), is_denied_and_done_later(Guards::ON));
    assert!(without && !with);
}
