//! What a case is run in.

use std::future::Future;
use std::time::Duration;

use hallpass_cache::{CacheSettings, Cached};
use hallpass_core::store::TokenStore;
use tokio::runtime::{Builder, Runtime};

use super::nodes::Nodes;
use super::place::StoreUnderTest;

/// How long a case may take: only one that hangs takes so long.
const PATIENCE: Duration = Duration::from_secs(120);

/// How many nodes the cases run among.
const NODES: usize = 3;

/// Runs a case on one handle.
pub fn on_one_node<P: StoreUnderTest, F: Future<Output = ()>>(case: impl FnOnce(Nodes) -> F) {
    run(async { on_nodes(&P::fresh().await, 1, |store| store, case).await });
}

/// Runs a case on three handles in turn.
pub fn among_nodes<P: StoreUnderTest, F: Future<Output = ()>>(case: impl FnOnce(Nodes) -> F) {
    run(async { on_nodes(&P::fresh().await, NODES, |store| store, case).await });
}

/// Runs a case on three handles in turn, a cache in front of each.
pub fn behind_caches<P: StoreUnderTest, F: Future<Output = ()>>(case: impl FnOnce(Nodes) -> F) {
    run(async { on_nodes(&P::fresh().await, NODES, small_cache, case).await });
}

/// Runs a case that opens its own handles.
pub fn in_place<P: StoreUnderTest, F: Future<Output = ()>>(case: impl FnOnce(P) -> F) {
    run(async { case(P::fresh().await).await });
}

/// A cache that is made quickly.
pub(super) fn small_cache(store: Nodes) -> Cached<Nodes> {
    let settings = CacheSettings::default().capacity_bytes(1 << 20).negative_capacity(1_024);
    Cached::with(store, settings)
}

/// Runs a case on so many handles, each behind what `front` puts there.
pub(super) async fn on_nodes<S: TokenStore, F: Future<Output = ()>>(
    place: &impl StoreUnderTest,
    count: usize,
    front: impl Fn(Nodes) -> S,
    case: impl FnOnce(Nodes) -> F,
) {
    let nodes = Nodes::in_turn(Nodes::each(place, count, front).await);
    case(nodes.clone()).await;
    nodes.close_all().await;
}

/// Threads enough that calls run at the same time.
pub(super) fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime")
}

/// Runs a case to its end.
pub(super) fn run(case: impl Future<Output = ()>) {
    runtime().block_on(async {
        tokio::time::timeout(PATIENCE, case).await.expect("the case comes to an end");
    });
}
