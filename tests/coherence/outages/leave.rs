//! Requests that end before their check does.

use std::convert::Infallible;
use std::time::Duration;

use hallpass_memory::MemoryStore;
use hallpass_testkit::{FaultyStore, Operation};
use hallpass_tower::TokenLayer;
use http::{Request, Response, StatusCode};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

use super::site::Site;
use hallpass_tests::nodes::{accepts, issue, node, settings};

#[tokio::test(flavor = "multi_thread")]
async fn e108_a_client_that_leaves_leaves_its_look_up_to_the_next() {
    let site = Site::open(settings()).await;
    let token = site.issue().await;
    let gate = site.faults().on(Operation::Get).stall();
    let mut leaves = TcpStream::connect(site.address()).await.expect("a connection");
    let request = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\r\n",
        token.token.reveal()
    );
    leaves.write_all(request.as_bytes()).await.expect("it listens");
    gate.arrived(1).await;
    drop(leaves);
    let (status, ()) = futures::join!(site.get(&token), async {
        // Long enough for the other to be in line, or not: both end well.
        tokio::time::sleep(Duration::from_millis(50)).await;
        gate.open();
    });
    assert_eq!(status, 200);
    assert_eq!(site.get(&token).await, 200);
    assert_eq!(site.faults().calls(Operation::Get), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn b46_a_timeout_outside_that_drops_a_check_spoils_nothing() {
    let store = FaultyStore::new(MemoryStore::new());
    let hallpass = node(&store, settings());
    let token = issue(&hallpass).await;
    let inner = ServiceBuilder::new().layer(TokenLayer::new(&hallpass)).service(service_fn(
        |_: Request<()>| std::future::ready(Ok::<_, Infallible>(Response::new(()))),
    ));
    let ask = async || {
        let request = Request::get("/")
            .header("authorization", format!("Bearer {}", token.token.reveal()))
            .body(())
            .expect("a request");
        let answer = inner.clone().oneshot(request);
        match tokio::time::timeout(Duration::from_millis(20), answer).await {
            Ok(Ok(answer)) => answer.status(),
            Err(_) => StatusCode::GATEWAY_TIMEOUT,
        }
    };
    let gate = store.faults().on(Operation::Get).stall();
    for _ in 0..5 {
        assert_eq!(ask().await, StatusCode::GATEWAY_TIMEOUT);
    }
    gate.open();
    assert!(accepts(&hallpass, &token).await);
    assert_eq!(store.faults().calls(Operation::Get), 1, "all of them waited for one");
    assert_eq!(ask().await, StatusCode::OK);
}
