//! Requests that are cancelled before their check ends.

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
async fn lookup_continues_for_others_after_its_client_disconnects() {
    let site = Site::open(settings()).await;
    let token = site.issue().await;
    let gate = site.faults().on(Operation::Get).stall();
    let mut client = TcpStream::connect(site.address()).await.expect("cannot connect");
    let request = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\r\n",
        token.token.reveal()
    );
    client.write_all(request.as_bytes()).await.expect("cannot send the request");
    gate.arrived(1).await;
    drop(client);
    let (status, ()) = futures::join!(site.get(&token), async {
        // The second request usually waits for the lookup by now. The test passes either way.
        tokio::time::sleep(Duration::from_millis(50)).await;
        gate.open();
    });
    assert_eq!(status, 200);
    assert_eq!(site.get(&token).await, 200);
    assert_eq!(site.faults().calls(Operation::Get), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn outer_timeout_that_drops_a_check_does_no_harm() {
    let store = FaultyStore::new(MemoryStore::new());
    let hallpass = node(&store, settings());
    let token = issue(&hallpass).await;
    let inner = ServiceBuilder::new().layer(TokenLayer::new(&hallpass)).service(service_fn(
        |_: Request<()>| std::future::ready(Ok::<_, Infallible>(Response::new(()))),
    ));
    let send = async || {
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
        assert_eq!(send().await, StatusCode::GATEWAY_TIMEOUT);
    }
    gate.open();
    assert!(accepts(&hallpass, &token).await);
    assert_eq!(store.faults().calls(Operation::Get), 1, "the requests did not share one lookup");
    assert_eq!(send().await, StatusCode::OK);
}
