//! Times of last use: written by the layer on its own, behind the requests.

use std::convert::Infallible;
use std::time::Duration;

use hallpass_core::{Caller, Hallpass, NewToken};
use hallpass_memory::MemoryStore;
use hallpass_tower::HallpassExt;
use http::{Request, Response};
use tower::{ServiceExt, service_fn};
use tower_layer::Layer;

#[tokio::test(start_paused = true)]
async fn the_layer_writes_uses_and_keeps_no_handle_alive() {
    let store = MemoryStore::new();
    let passes = Hallpass::builder(store.clone()).build();
    let alice = Caller::owner("alice");
    let issued = passes.issue(&alice, NewToken::named("ci")).await.unwrap();
    let refused = passes.issue(&alice, NewToken::named("revoked")).await.unwrap();
    passes.revoke(&alice, refused.record.id).await.unwrap();
    let service = passes.layer().layer(service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(String::new()))
    }));
    for token in [&issued, &refused] {
        let bearer = format!("Bearer {}", token.token.reveal());
        let request = Request::get("/").header("authorization", bearer).body(()).unwrap();
        let _ = service.clone().oneshot(request).await.unwrap();
    }
    assert!(passes.has_unflushed_uses(), "not on the request's own time");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(!passes.has_unflushed_uses());
    let other = Hallpass::builder(store).build();
    assert!(other.get(&alice, issued.record.id).await.unwrap().last_used_at.is_some());
    assert!(other.get(&alice, refused.record.id).await.unwrap().last_used_at.is_none(), "refused");

    let weak = passes.downgrade();
    drop((passes, service));
    assert!(weak.upgrade().is_none(), "the task ends with the last handle");
}
