//! Tests of a node that was blocked, and of many simultaneous requests after the cache has become
//! too old.

use std::sync::{Arc, mpsc};
use std::time::Instant;

use futures::future::join_all;
use hallpass_cache::CacheSettings;
use hallpass_core::{Hallpass, Issued};
use hallpass_servers::Proxy;
use hallpass_testkit::{FaultyStore, Operation};
use hallpass_tests::nodes::{
    NEVER, PATIENCE, accepts, alice, issue_many, node, runtime_of_one_thread,
};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::backend::Backend;
use crate::node::{Node, beyond_the_bound, settings};
use crate::on_each_store;

/// A node with a runtime of one thread, with the token in its cache.
struct Apart {
    hallpass: Hallpass,
    runtime: Handle,
    _network: Proxy,
}

impl Apart {
    async fn on<B: Backend>(server: &B, settings: CacheSettings, token: &Arc<Issued>) -> Self {
        let network = Proxy::to(server.address()).unwrap();
        let url = network.url(server.url());
        let runtime = runtime_of_one_thread();
        let token = Arc::clone(token);
        let opened = runtime.spawn(async move {
            let hallpass = node(&FaultyStore::new(B::open(&url).await), settings);
            assert!(accepts(&hallpass, &token).await);
            hallpass
        });
        Self { hallpass: opened.await.unwrap(), runtime, _network: network }
    }

    /// Blocks the runtime's only thread, as faulty code of the host could, until the sender is
    /// used. The first task after that is a check of the token.
    async fn block(&self, token: &Arc<Issued>) -> (mpsc::Sender<()>, JoinHandle<bool>) {
        let (let_go, until) = mpsc::channel();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        self.runtime.spawn(async move {
            begun.send(()).unwrap();
            until.recv().unwrap();
        });
        has_begun.await.unwrap();
        let (hallpass, token) = (self.hallpass.clone(), Arc::clone(token));
        let check = self.runtime.spawn(async move { accepts(&hallpass, &token).await });
        (let_go, check)
    }
}

async fn node_blocked_beyond_the_bound_reads_the_log_before_it_accepts<B: Backend>() {
    let server = B::shared();
    let elsewhere = Node::on(&server, settings()).await;
    let token = Arc::new(elsewhere.issue().await);
    let bound = Apart::on(&server, settings(), &token).await;
    let unbound = Apart::on(&server, settings().max_staleness(NEVER), &token).await;
    let (go, check) = bound.block(&token).await;
    let (go_unbound, check_unbound) = unbound.block(&token).await;
    elsewhere.hallpass.revoke(&alice(), token.record.id).await.unwrap();
    beyond_the_bound().await;
    go.send(()).unwrap();
    go_unbound.send(()).unwrap();
    assert!(!check.await.unwrap(), "the token was accepted after the bound");
    assert!(check_unbound.await.unwrap(), "a node without a staleness bound accepts the token");
}

async fn each_token_is_read_once_after_the_cache_becomes_stale<B: Backend>() {
    const TOKENS: usize = 48;
    let server = B::shared();
    let node = Node::on(&server, settings().load_deadline(PATIENCE)).await;
    let tokens: Vec<_> =
        issue_many(&node.hallpass, TOKENS).await.into_iter().map(Arc::new).collect();
    let herd = async || {
        let checks = tokens.iter().flat_map(|token| std::iter::repeat_n(token, 20)).map(|token| {
            let (hallpass, token) = (node.hallpass.clone(), Arc::clone(token));
            tokio::spawn(async move { accepts(&hallpass, &token).await })
        });
        join_all(checks.collect::<Vec<_>>()).await
    };
    node.faults.on(Operation::Changes).fail();
    for _ in 0..2 {
        beyond_the_bound().await;
        let (began, before) = (Instant::now(), node.faults.calls(Operation::Get));
        assert!(herd().await.into_iter().all(Result::unwrap));
        let asked = node.faults.calls(Operation::Get) - before;
        // A slow machine may load some tokens again before all requests have finished.
        let rounds = 1 + began.elapsed().as_millis() / 500;
        assert!(asked <= TOKENS as u64 * rounds as u64, "{asked} lookups of {TOKENS} tokens");
        assert!(asked >= TOKENS as u64, "{asked} lookups: some cached tokens were still fresh");
    }
    // The load on the store is limited by the size of the pool.
    let connections = node.network.connections().len();
    assert!(connections <= 12, "{connections} connections");
}

/// If more tokens have to be loaded than the limit on concurrent loads allows, some get 503. All
/// are accepted when they retry.
async fn all_tokens_beyond_the_load_limit_are_accepted_at_a_retry<B: Backend>() {
    let server = B::shared();
    let node = Node::on(&server, settings()).await;
    let tokens = issue_many(&node.hallpass, 150).await;
    node.faults.on(Operation::Changes).fail();
    beyond_the_bound().await;
    join_all(tokens.iter().map(|token| node.recovers(token, 200))).await;
}

on_each_store!(
    node_blocked_beyond_the_bound_reads_the_log_before_it_accepts,
    each_token_is_read_once_after_the_cache_becomes_stale,
    all_tokens_beyond_the_load_limit_are_accepted_at_a_retry,
);
