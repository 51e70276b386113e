//! Lists and checks agree: if a list shows a token as revoked, a later check on that node rejects
//! it.

use std::time::{Duration, Instant};

use hallpass_core::{ListOptions, Status};
use hallpass_memory::MemoryStore;
use hallpass_testkit::Operation;

use super::{Node, alice, settings};

#[tokio::test(flavor = "multi_thread")]
async fn token_listed_as_revoked_is_rejected() {
    let store = MemoryStore::new();
    let here = Node::with(&store, settings().poll(Duration::from_secs(3600)));
    let there = Node::new(&store);
    // There are no notifications and no polls, so this node sees the change only through the list.
    here.faults().on(Operation::WaitForChange).lose_answer();
    let issued = there.issue().await;
    assert!(here.accepts(&issued).await);
    there.hallpass.revoke(&alice(), issued.record.id).await.unwrap();
    let page = here.hallpass.list(&alice(), &ListOptions::default()).await.unwrap();
    assert_eq!(page.items[0].status(here.hallpass.now()), Status::Revoked);
    assert!(!here.accepts(&issued).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn list_does_not_wait_longer_than_the_load_deadline_for_the_log() {
    let store = MemoryStore::new();
    let long = Duration::from_secs(20);
    let settings = settings().max_staleness(long).load_deadline(Duration::from_millis(100));
    let here = Node::with(&store, settings);
    let there = Node::new(&store);
    let issued = there.issue().await;
    here.catch_up_by(&issued).await;
    here.cut_the_log();
    there.hallpass.revoke(&alice(), issued.record.id).await.unwrap();
    let start = Instant::now();
    here.hallpass.list(&alice(), &ListOptions::default()).await.unwrap();
    assert!(start.elapsed() < long / 2, "{:?}", start.elapsed());
    assert!(!here.accepts(&issued).await, "an older record was used");
}
