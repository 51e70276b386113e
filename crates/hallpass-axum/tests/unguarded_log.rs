//! The log of routes without a requirement in release builds.
//!
//! The test has a process of its own: a log line that several threads write for the first time may
//! be lost if one of them has no subscriber.

use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::response::Redirect;
use axum::routing::{any, get};
use hallpass_axum::{HallpassExt, HandlerExt};
use hallpass_core::{Actor, Hallpass, NewToken, authenticated};
use hallpass_memory::MemoryStore;
use http::{Method, Request};
use tower::ServiceExt as _;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn hello() -> &'static str {
    "hello"
}

#[tokio::test]
async fn release_builds_log_each_forgotten_route_once() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let new = NewToken::named("test");
    let issued = hallpass.issue(&Actor::owner("alice"), new).await.unwrap();
    let app = Router::new()
        .route("/projects/{id}", get(hello.scoped(authenticated())).post(hello))
        .route("/any", any(hello))
        .route("/moved", get(async || Redirect::to("/elsewhere")))
        .layer(hallpass.layer().reject_unguarded_routes(false));
    let call = async |method: Method, path: &str| {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {}", issued.token.reveal()));
        app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
    };
    for id in 0..3 {
        let path = format!("/projects/{id}");
        assert_eq!(call(Method::GET, &path).await, 200);
        assert_eq!(call(Method::POST, &path).await, 200);
    }
    assert_eq!(call(Method::GET, "/moved").await, 303);
    // A client could invent any number of methods.
    assert_eq!(call(Method::from_bytes(b"INVENTED").unwrap(), "/any").await, 200);
    assert_eq!(call(Method::GET, "/any").await, 200);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<_> =
        log.lines().filter(|line| line.contains("a route has no requirement")).collect();
    assert_eq!(lines.len(), 3, "{log}");
    assert!(lines[0].contains("POST") && lines[0].contains("/projects/{id}"), "{}", lines[0]);
    assert!(lines[1].contains("GET") && lines[1].contains("/moved"), "{}", lines[1]);
}
