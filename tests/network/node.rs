//! A node: a store behind a proxy, a cache and a service.

use std::time::{Duration, Instant};

use hallpass_cache::CacheSettings;
use hallpass_core::{Hallpass, Issued, Limits};
use hallpass_servers::{Flow, Proxy};
use hallpass_testkit::{Faults, FaultyStore};
use hallpass_tests::nodes;
use hallpass_tests::web::Web;

use crate::backend::Backend;

/// The staleness bound in these tests.
pub(crate) const BOUND: Duration = Duration::from_millis(500);

/// The time limit for any response. It is generous, because the machine may be busy.
const SOON: Duration = Duration::from_secs(8);

pub(crate) struct Node {
    pub(crate) hallpass: Hallpass,
    pub(crate) faults: Faults,
    pub(crate) network: Proxy,
    web: Web,
}

/// Returns cache settings with short time limits.
pub(crate) fn settings() -> CacheSettings {
    CacheSettings::default()
        .max_staleness(BOUND)
        .poll(Duration::from_millis(100))
        .load_deadline(Duration::from_millis(500))
}

/// Waits until the bound has passed.
pub(crate) async fn beyond_the_bound() {
    tokio::time::sleep(nodes::beyond(BOUND)).await;
}

/// Opens a handle without a cache that connects directly to the server.
pub(crate) async fn truth<B: Backend>(server: &B) -> Hallpass {
    let store = B::open(server.url()).await;
    Hallpass::builder(store).limits(Limits::default().unlimited_tokens()).build()
}

impl Node {
    pub(crate) async fn on<B: Backend>(server: &B, settings: CacheSettings) -> Self {
        Self::at(server, server.url(), settings).await
    }

    /// Starts a node with another URL of the same server, for example with another user.
    pub(crate) async fn at<B: Backend>(server: &B, url: &str, settings: CacheSettings) -> Self {
        let network = Proxy::to(server.address()).unwrap();
        let store = B::open(&network.url(url)).await;
        let store = FaultyStore::new(store);
        let hallpass = nodes::node(&store, settings);
        let web = Web::serve(&hallpass).await;
        Self { faults: store.faults().clone(), hallpass, network, web }
    }

    pub(crate) async fn issue(&self) -> Issued {
        nodes::issue(&self.hallpass).await
    }

    /// Sends a request with the token and returns the status. Fails if the response takes too long.
    pub(crate) async fn get(&self, token: &Issued) -> u16 {
        let asked = Instant::now();
        let status = self.web.get(token).await;
        assert!(asked.elapsed() < SOON, "{status} after {:?}", asked.elapsed());
        status
    }

    /// Waits until the node responds with `expected`. Fails if it responds with anything else but
    /// 503 before that.
    pub(crate) async fn recovers(&self, token: &Issued, expected: u16) {
        nodes::until("the node has recovered", async || {
            let status = self.get(token).await;
            assert!(
                status == expected || status == 503,
                "the status is {status}, expected {expected}"
            );
            status == expected
        })
        .await;
    }

    /// Waits until the node receives change notifications. Returns the local ports of the
    /// connections that receive them.
    pub(crate) async fn listens<B: Backend>(&self, server: &B) -> Vec<u16> {
        let mut ports = Vec::new();
        nodes::until("the node listens for notifications", async || {
            ports = server.listening();
            ports.retain(|port| self.network.connection(*port).is_some());
            !ports.is_empty()
        })
        .await;
        ports
    }

    /// Closes the node's connections to the store and rejects new ones.
    pub(crate) fn unplug(&self) {
        self.network.reject();
        self.network.cut();
    }

    /// Drops all packets between the node and the store, without an error.
    pub(crate) fn silence(&self) {
        self.network.set_both(Flow::Swallow);
    }

    /// Checks the token repeatedly until it is not accepted any more. Returns the start of the last
    /// check that accepted it, as a time after `since`.
    pub(crate) async fn last_accepted(&self, token: &Issued, since: Instant) -> Duration {
        let mut last = Duration::ZERO;
        loop {
            let asked = since.elapsed();
            if self.get(token).await != 200 {
                return last;
            }
            last = asked;
            assert!(last < nodes::PATIENCE, "the token is still accepted after {last:?}");
        }
    }
}
