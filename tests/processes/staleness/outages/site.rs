//! A service on a real socket with axum, the layer, a cache, and a store that fails on demand.

use std::net::SocketAddr;

use hallpass_cache::CacheSettings;
use hallpass_core::{Hallpass, Issued};
use hallpass_memory::MemoryStore;
use hallpass_testkit::{Faults, FaultyStore};
use hallpass_tests::nodes::{issue, node};
use hallpass_tests::web::Web;

pub(super) struct Site {
    pub(super) hallpass: Hallpass,
    store: FaultyStore<MemoryStore>,
    web: Web,
}

impl Site {
    pub(super) async fn open(settings: CacheSettings) -> Self {
        let store = FaultyStore::new(MemoryStore::new());
        let hallpass = node(&store, settings);
        let web = Web::serve(&hallpass).await;
        Self { hallpass, store, web }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.web.address
    }

    pub(super) fn faults(&self) -> &Faults {
        self.store.faults()
    }

    pub(super) async fn issue(&self) -> Issued {
        issue(&self.hallpass).await
    }

    /// Sends a request with the token and returns the status of the response. If it is 503, this
    /// also checks its headers.
    pub(super) async fn get(&self, issued: &Issued) -> u16 {
        self.web.get(issued).await
    }
}
