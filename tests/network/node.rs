//! A node: a store behind a network, a cache, a service.

use std::time::{Duration, Instant};

use hallpass_cache::CacheSettings;
use hallpass_core::{Hallpass, Issued, Limits};
use hallpass_servers::{Flow, Proxy};
use hallpass_testkit::{Faults, FaultyStore};
use hallpass_tests::nodes;
use hallpass_tests::web::Web;

use crate::backend::Backend;

/// B in these tests.
pub(crate) const BOUND: Duration = Duration::from_millis(500);

/// More than any answer may take, 503 or not, on a machine with other things to do.
const SOON: Duration = Duration::from_secs(8);

pub(crate) struct Node {
    pub(crate) hallpass: Hallpass,
    pub(crate) faults: Faults,
    pub(crate) network: Proxy,
    web: Web,
}

/// A cache that does not wait for long.
pub(crate) fn settings() -> CacheSettings {
    CacheSettings::default()
        .max_staleness(BOUND)
        .poll(Duration::from_millis(100))
        .load_deadline(Duration::from_millis(500))
}

/// Waits until more than the bound is over.
pub(crate) async fn beyond_the_bound() {
    tokio::time::sleep(nodes::beyond(BOUND)).await;
}

/// A handle without a cache, straight to the server.
pub(crate) async fn truth<B: Backend>(server: &B) -> Hallpass {
    let store = B::open(server.url()).await;
    Hallpass::builder(store).limits(Limits::default().unlimited_tokens()).build()
}

impl Node {
    pub(crate) async fn on<B: Backend>(server: &B, settings: CacheSettings) -> Self {
        Self::at(server, server.url(), settings).await
    }

    /// The same by another URL of that server: another user's.
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

    /// What a request is answered, and that soon.
    pub(crate) async fn get(&self, token: &Issued) -> u16 {
        let asked = Instant::now();
        let status = self.web.get(token).await;
        assert!(asked.elapsed() < SOON, "{status} after {:?}", asked.elapsed());
        status
    }

    /// Waits until that is the answer. Nothing but 503 comes before it.
    pub(crate) async fn recovers(&self, token: &Issued, expected: u16) {
        nodes::until("the node has recovered", async || {
            let status = self.get(token).await;
            assert!(status == expected || status == 503, "{status} instead of {expected}");
            status == expected
        })
        .await;
    }

    /// Waits until the node is told of changes, and answers the ports it hears of them at.
    pub(crate) async fn listens<B: Backend>(&self, server: &B) -> Vec<u16> {
        let mut ports = Vec::new();
        nodes::until("the node listens", async || {
            ports = server.listening();
            ports.retain(|port| self.network.connection(*port).is_some());
            !ports.is_empty()
        })
        .await;
        ports
    }

    /// From here on the node reaches no store, and is told so.
    pub(crate) fn unplug(&self) {
        self.network.refuse();
        self.network.cut();
    }

    /// The same, and nobody tells it.
    pub(crate) fn silence(&self) {
        self.network.set_both(Flow::Swallow);
    }

    /// Asks again and again until nobody is let in any more. Answers when the last that was let in
    /// had asked, as a time after `since`.
    pub(crate) async fn last_accepted(&self, token: &Issued, since: Instant) -> Duration {
        let mut last = Duration::ZERO;
        loop {
            let asked = since.elapsed();
            if self.get(token).await != 200 {
                return last;
            }
            last = asked;
            assert!(last < nodes::PATIENCE, "it is let in for ever");
        }
    }
}
