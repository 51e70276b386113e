//! Owner statuses: they are as fresh as tokens, and the host's directory is queried no more often
//! than necessary.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hallpass_cache::CacheSettings;
use hallpass_core::{Issued, Owner, OwnerStatus};
use hallpass_memory::MemoryStore;
use hallpass_testkit::Operation;
use tokio::sync::watch;

use super::{Flaw, Node, alice, owner_alice, settings};

/// The host's owner directory, which all nodes share.
#[derive(Clone)]
struct Host(Arc<Facts>);

struct Facts {
    enabled: AtomicBool,
    reachable: AtomicBool,
    asked: AtomicUsize,
    /// The directory looks a status up, and then waits until this is true before it returns.
    answers: watch::Sender<bool>,
}

impl Host {
    fn new() -> Self {
        Self(Arc::new(Facts {
            enabled: AtomicBool::new(true),
            reachable: AtomicBool::new(true),
            asked: AtomicUsize::new(0),
            answers: watch::Sender::new(true),
        }))
    }

    fn node(&self, store: &MemoryStore) -> Node {
        self.node_with(store, settings())
    }

    fn node_with(&self, store: &MemoryStore, settings: CacheSettings) -> Node {
        let host = self.clone();
        Node::build(store, Flaw::None, settings, |builder| {
            builder.owner_directory(move |_: Owner| {
                let host = host.clone();
                async move { host.answer().await }
            })
        })
    }

    async fn answer(&self) -> Result<OwnerStatus, Box<dyn std::error::Error + Send + Sync>> {
        let found = if self.0.enabled.load(Ordering::SeqCst) {
            OwnerStatus::Active
        } else {
            OwnerStatus::Disabled
        };
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        self.0.answers.subscribe().wait_for(|open| *open).await?;
        if self.0.reachable.load(Ordering::SeqCst) { Ok(found) } else { Err("unreachable".into()) }
    }

    fn disable(&self) {
        self.0.enabled.store(false, Ordering::SeqCst);
    }

    fn queries(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }

    async fn was_asked(&self, times: usize) {
        while self.queries() < times {
            tokio::task::yield_now().await;
        }
    }
}

fn check(node: &Arc<Node>, issued: &Arc<Issued>) -> tokio::task::JoinHandle<bool> {
    let (node, issued) = (Arc::clone(node), Arc::clone(issued));
    tokio::spawn(async move { node.accepts(&issued).await })
}

/// The host disables an owner without reporting it.
async fn is_accepted_beyond_the_bound() -> bool {
    let host = Host::new();
    let node = host.node(&MemoryStore::new());
    let issued = node.issue().await;
    assert!(node.accepts(&issued).await);
    host.disable();
    node.accepts_beyond_the_bound(&issued, Instant::now()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn owner_status_is_used_within_max_staleness_only() {
    assert!(!is_accepted_beyond_the_bound().await);
}

/// The host disables an owner while a query is running, and reports the change. The result of the
/// query, which is from before the change, arrives after the report.
async fn an_answer_races_a_change() -> bool {
    let host = Host::new();
    let node = Arc::new(host.node(&MemoryStore::new()));
    let issued = Arc::new(node.issue().await);
    let queries = host.queries();
    host.0.answers.send_replace(false);
    let late = check(&node, &issued);
    host.was_asked(queries + 1).await;
    host.disable();
    node.hallpass.owner_changed(&alice(), &owner_alice()).await.unwrap();
    host.0.answers.send_replace(true);
    let _ = late.await.unwrap();
    node.accepts(&issued).await
}

#[tokio::test(flavor = "multi_thread")]
async fn status_of_a_changed_owner_is_queried_again() {
    assert!(!an_answer_races_a_change().await);
}

/// Reports on another node that an owner has changed. Returns whether this node sees the change
/// before its remembered status expires.
async fn hears_of_it_from_the_log() -> bool {
    let (host, store) = (Host::new(), MemoryStore::new());
    let long = Duration::from_secs(30);
    let (here, there) = (host.node_with(&store, settings().max_staleness(long)), host.node(&store));
    let issued = there.issue().await;
    here.catch_up_by(&issued).await;
    let start = Instant::now();
    host.disable();
    there.hallpass.owner_changed(&alice(), &owner_alice()).await.unwrap();
    while here.accepts(&issued).await {
        if start.elapsed() > long / 2 {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn owner_change_on_another_node_arrives_through_the_log() {
    assert!(hears_of_it_from_the_log().await);
}

/// Returns how often the directory is queried during 256 concurrent checks of one owner.
async fn questions_for_many_checks() -> usize {
    let host = Host::new();
    let node = Arc::new(host.node(&MemoryStore::new()));
    let issued = Arc::new(node.issue().await);
    node.catch_up_by(&issued).await;
    node.hallpass.owner_changed(&alice(), &owner_alice()).await.unwrap();
    let queries = host.queries();
    host.0.answers.send_replace(false);
    let checks: Vec<_> = (0..256).map(|_| check(&node, &issued)).collect();
    host.was_asked(queries + 1).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    host.0.answers.send_replace(true);
    for check in checks {
        assert!(check.await.unwrap());
    }
    host.queries() - queries
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_checks_of_one_owner_cause_one_query() {
    assert_eq!(questions_for_many_checks().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_owner_query_is_unavailable_and_repeated() {
    let host = Host::new();
    let node = host.node(&MemoryStore::new());
    let issued = node.issue().await;
    host.0.reachable.store(false, Ordering::SeqCst);
    for _ in 0..2 {
        let queries = host.queries();
        assert!(node.check(&issued).await.is_err_and(|denied| denied.is_unavailable()));
        assert_eq!(host.queries(), queries + 1);
    }
    host.0.reachable.store(true, Ordering::SeqCst);
    assert!(node.accepts(&issued).await);
    host.0.reachable.store(false, Ordering::SeqCst);
    assert!(node.accepts(&issued).await, "the status must be used within the bound");
    node.hallpass.owner_changed(&alice(), &owner_alice()).await.unwrap();
    assert!(node.check(&issued).await.is_err_and(|denied| denied.is_unavailable()));
    assert_eq!(node.faults().calls(Operation::LogOwnerChange), 1);
}
