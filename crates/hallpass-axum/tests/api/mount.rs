//! The mount of the API: over real sockets, under any nest, with and without a slash at the end.

use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::Router;
use axum::routing::get;
use hallpass_axum::TokenApi;
use hallpass_core::Hallpass;
use hallpass_memory::MemoryStore;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::signed_in;

/// Starts a host with the API at several places, on a port of its own.
async fn serve() -> std::net::SocketAddr {
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let api = |path: &str| TokenApi::new(&hallpass, signed_in).into_router_at(path);
    let app = Router::new()
        .route("/", get(|| async { "home" }))
        .merge(api("/tokens"))
        .merge(api("/settings/access/tokens/"))
        .merge(api("/orgs/{id}/tokens"))
        .nest("/v1", Router::new().nest("/people/{id}", api("/tokens")))
        .nest_service("/service", api("/tokens"))
        .nest_service("/bare", api("/"))
        .fallback(|| async { "the host's own fallback" });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Sends a request over a new connection. Returns the head of the response and its body.
async fn send(
    address: std::net::SocketAddr,
    method: &str,
    path: &str,
    body: &str,
) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nx-person: alice\r\ncookie: id=1\r\n\
         origin: http://{address}\r\nsec-fetch-site: same-origin\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

fn status(head: &str) -> &str {
    &head["http/1.1 ".len()..][..3]
}

/// Returns the `Location` of a response, resolved against the path of the request. It is always
/// relative, because a proxy may have removed a prefix.
fn resolved(asked: &str, head: &str) -> String {
    let line = head.lines().find_map(|line| line.strip_prefix("location: ")).expect("a location");
    let folder = &asked[..asked.rfind('/').unwrap()];
    let path = match line.strip_prefix("../") {
        Some(rest) => format!("{}/{rest}", &folder[..folder.rfind('/').unwrap()]),
        None => format!("{folder}/{}", line.strip_prefix("./").expect("a relative reference")),
    };
    path.to_ascii_lowercase()
}

#[tokio::test]
async fn location_of_a_new_token_is_right_under_every_mount() {
    let address = serve().await;
    for mount in [
        "/tokens",
        "/settings/access/tokens",
        "/orgs/7/tokens",
        "/orgs/a%2Fb/tokens",
        "/v1/people/7/tokens",
        "/service/tokens",
        "/bare",
    ] {
        for slash in ["", "/"] {
            let collection = format!("{mount}{slash}");
            let (head, body) = send(address, "POST", &collection, r#"{"name":"ci"}"#).await;
            assert_eq!(status(&head), "201", "{collection}: {head} {body}");
            let created: serde_json::Value = serde_json::from_str(&body).unwrap();
            let location = format!("{mount}/{}", created["id"].as_str().unwrap());
            assert_eq!(resolved(&collection, &head), location.to_ascii_lowercase());
            let (head, shown) = send(address, "GET", &location, "").await;
            assert_eq!(status(&head), "200", "{location}");
            assert!(shown.contains(created["id"].as_str().unwrap()));
            let call = format!("{location}/copy");
            let (head, body) = send(address, "POST", &call, "").await;
            let copy: serde_json::Value = serde_json::from_str(&body).unwrap();
            let location = format!("{mount}/{}", copy["id"].as_str().unwrap());
            assert_eq!(resolved(&call, &head), location.to_ascii_lowercase());
            let (head, _) = send(address, "GET", &format!("{collection}?limit=1"), "").await;
            assert_eq!(status(&head), "200", "{collection}");
            let (_, document) = send(address, "GET", &format!("{mount}/openapi.json"), "").await;
            let document: serde_json::Value = serde_json::from_str(&document).unwrap();
            assert_eq!(document["servers"], serde_json::json!([{ "url": "." }]));
        }
        let all = format!("{mount}/delete");
        let (head, body) = send(address, "POST", &all, r#"{"all":true}"#).await;
        let deleted = r#"{"deleted":4,"not_found":[]}"#;
        assert_eq!((status(&head), body.as_str()), ("200", deleted), "{mount}");
    }
}

#[test]
#[should_panic(expected = "it must start with `/`")]
fn invalid_mount_path_is_a_start_up_error() {
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let _: Router = TokenApi::new(&hallpass, signed_in).into_router_at("tokens");
}

#[test]
fn origin_that_no_browser_sends_is_a_start_up_error() {
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let api = |origin: &str| TokenApi::<()>::new(&hallpass, signed_in).trust_origin(origin);
    for good in ["https://app.example.com", "http://localhost:3000", "https://[::1]:8443"] {
        drop(api(good));
    }
    for bad in [
        "https://app.example.com/",
        "https://app.example.com/path",
        "https://App.example.com",
        "https://app.example.com:443",
        "app.example.com",
    ] {
        let panic = catch_unwind(AssertUnwindSafe(|| drop(api(bad)))).expect_err(bad);
        let message = panic.downcast_ref::<String>().expect("a message");
        assert!(message.starts_with(&format!("invalid origin {bad:?}: write it as")), "{message}");
    }
}

#[tokio::test]
async fn paths_outside_of_the_api_belong_to_the_host() {
    let address = serve().await;
    assert_eq!(send(address, "GET", "/", "").await.1, "home");
    assert_eq!(send(address, "GET", "/nothing", "").await.1, "the host's own fallback");
    assert_eq!(send(address, "GET", "/tokensandmore", "").await.1, "the host's own fallback");
    let (head, _) = send(address, "GET", "/tokens/no/such/call", "").await;
    assert_eq!(status(&head), "404");
    assert!(head.contains("application/problem+json") && head.contains("no-store"), "{head}");
}

#[tokio::test]
async fn endless_body_is_cut_off() {
    let address = serve().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "POST /tokens HTTP/1.1\r\nhost: x\r\nx-person: alice\r\ncontent-type: application/json\r\n\
                transfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("2000\r\n{}\r\n", " ".repeat(0x2000));
    // Reads until the server has responded and closes the connection.
    for _ in 0..64 {
        if stream.write_all(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 413");
}
