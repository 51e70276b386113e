//! Runs a case on one handle or on several.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use super::place::StoreUnderTest;
use super::replicas::Replicas;

/// The time limit of a case. Only a case that hangs takes so long.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// Runs a case on one handle.
pub fn on_one_replica<P: StoreUnderTest, F: Future<Output = ()>>(case: impl FnOnce(Replicas) -> F) {
    run(async { on_replicas(&P::fresh().await, 1, case).await });
}

/// Runs a case on three handles in turn.
pub fn on_three_replicas<P: StoreUnderTest, F: Future<Output = ()>>(
    case: impl FnOnce(Replicas) -> F,
) {
    run(async { on_replicas(&P::fresh().await, 3, case).await });
}

/// Runs a case that opens its own handles.
pub fn in_place<P: StoreUnderTest, F: Future<Output = ()>>(case: impl FnOnce(P) -> F) {
    run(async { case(P::fresh().await).await });
}

pub(super) async fn on_replicas<F: Future<Output = ()>>(
    place: &impl StoreUnderTest,
    count: usize,
    case: impl FnOnce(Replicas) -> F,
) {
    let replicas = Replicas::in_turn(&Replicas::open(place, count).await);
    case(replicas.clone()).await;
    replicas.close_all().await;
}

/// Creates a runtime with enough threads for calls to run at the same time.
pub(super) fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime")
}

/// Runs a case until it ends. Panics if it takes too long.
pub(super) fn run(case: impl Future<Output = ()>) {
    runtime().block_on(async {
        tokio::time::timeout(TIME_LIMIT, case)
            .await
            .expect("the case did not end within the time limit");
    });
}
