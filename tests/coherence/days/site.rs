//! A service on a real socket: axum, the layer, a cache, a store that fails on demand.

use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use hallpass_cache::CacheSettings;
use hallpass_core::{Hallpass, Issued};
use hallpass_memory::MemoryStore;
use hallpass_testkit::{Faults, FaultyStore};
use hallpass_tower::HallpassExt as _;
use tokio::net::TcpListener;

use super::{PATIENCE, issue, node};

pub(super) struct Site {
    pub(super) passes: Hallpass,
    pub(super) store: FaultyStore<MemoryStore>,
    pub(super) address: SocketAddr,
    client: reqwest::Client,
}

impl Site {
    pub(super) async fn open(settings: CacheSettings) -> Self {
        let store = FaultyStore::new(MemoryStore::new());
        let passes = node(&store, settings);
        let routes = Router::new().route("/", get(async || "in")).layer(passes.layer());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let client = reqwest::Client::builder().timeout(PATIENCE).build().expect("a client");
        Self { passes, store, address, client }
    }

    pub(super) fn faults(&self) -> &Faults {
        self.store.faults()
    }

    pub(super) async fn issue(&self) -> Issued {
        issue(&self.passes).await
    }

    /// What a request with that token is answered. A 503 is looked at closer.
    pub(super) async fn get(&self, issued: &Issued) -> u16 {
        let request = self.client.get(format!("http://{}/", self.address));
        let request = request.bearer_auth(issued.token.reveal());
        let answer = request.send().await.expect("an answer, in time");
        let status = answer.status().as_u16();
        if status == 503 {
            let after = answer.headers().get("retry-after").expect("when to try again");
            let seconds: u32 = after.to_str().expect("a number").parse().expect("a number");
            assert!((1..=3).contains(&seconds), "{seconds}");
            assert!(!answer.headers().contains_key("www-authenticate"), "that says: not valid");
        }
        status
    }
}
