//! A real server with the management API, and raw HTTP/1.1 requests to it.
#![expect(clippy::missing_panics_doc, reason = "a test helper panics if the test fails")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::request::Parts;
use axum::routing::get;
use hallpass_axum::TokenApi;
use hallpass_cache::{CacheSettings, Cached};
use hallpass_core::store::{AuditEntry, TokenStore};
use hallpass_core::{Actor, AuditOptions, Event, Hallpass, Limits};
use hallpass_tower::TokenLayer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// The time limit for a response, much longer than any response takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// The name of the user who may change the tokens of all users.
pub const ADMIN: &str = "admin";

/// Returns the user that the header `x-person` names. It replaces the sign-in of the host.
async fn signed_in(parts: Parts) -> Option<Actor> {
    let person = parts.headers.get("x-person")?.to_str().ok()?;
    if person == ADMIN { Some(Actor::admin(ADMIN)) } else { Actor::try_owner(person).ok() }
}

/// A server of the management API at `/tokens`, and of a guarded route at `/`.
#[derive(Debug)]
pub struct Server {
    /// The handle that the server uses.
    pub hallpass: Hallpass,
    /// The address that the server listens on.
    pub address: SocketAddr,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Server {
    /// Starts a server on a free port, with a cache in front of the store.
    pub async fn start(store: impl TokenStore) -> Self {
        let events = Arc::<Mutex<Vec<Event>>>::default();
        let sink = Arc::clone(&events);
        let settings = CacheSettings::default().poll(Duration::from_millis(50));
        let hallpass = Hallpass::builder(Cached::with_settings(store, settings))
            .limits(Limits::default().unlimited_tokens())
            .events(move |event: &Event| {
                if event.kind.is_recorded() {
                    sink.lock().unwrap().push(event.clone());
                }
            })
            .build();
        let guarded =
            Router::new().route("/", get(async || "in")).layer(TokenLayer::new(&hallpass));
        let routes = guarded.merge(TokenApi::new(&hallpass, signed_in).into_router_at("/tokens"));
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        // While the queue of new connections is full, the system drops them, and clients try again
        // for minutes. A test that floods a server is about the server, not about that queue.
        let listener = socket.listen(4096).unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { hallpass, address, events }
    }

    /// Returns the events that have reached the host's sink.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }

    /// Returns the whole audit trail, oldest entry first.
    pub async fn trail(&self) -> Vec<AuditEntry> {
        trail(&self.hallpass).await
    }

    /// Sends a request and closes the socket after `life`, whether or not a response has arrived.
    pub async fn send_and_close(&self, request: &Request<'_>, life: Duration) {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        socket.write_all(request.text().as_bytes()).await.unwrap();
        tokio::time::sleep(life).await;
    }

    /// Sends a request and returns the status of the response.
    pub async fn status(&self, request: &Request<'_>) -> u16 {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        socket.write_all(request.text().as_bytes()).await.unwrap();
        let mut head = [0; 12];
        let read = timeout(PATIENCE, socket.read_exact(&mut head)).await;
        read.expect("the response is late").expect("the connection was closed without a response");
        std::str::from_utf8(&head[9..]).unwrap().parse().unwrap()
    }
}

/// Reads the whole audit trail page by page, oldest entry first.
pub async fn trail(hallpass: &Hallpass) -> Vec<AuditEntry> {
    let auditor = Actor::system("auditor");
    let first = AuditOptions::new().oldest_first().limit(AuditOptions::MAX_LIMIT);
    let (mut entries, mut options) = (Vec::new(), first.clone());
    loop {
        let page = hallpass.audit(&auditor, &options).await.unwrap();
        entries.extend(page.items);
        let Some(cursor) = page.next_cursor else { return entries };
        options = first.clone().cursor(cursor);
    }
}

/// A request of a user to the management API, or a request with a token to the guarded route.
#[derive(Debug)]
pub struct Request<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The path.
    pub path: String,
    /// The header line that identifies the caller.
    pub caller: String,
    /// The body, JSON or empty.
    pub body: String,
}

impl<'a> Request<'a> {
    /// Creates a request of the given user to the management API.
    #[must_use]
    pub fn by(person: &str, method: &'a str, path: String, body: &str) -> Self {
        Self { method, path, caller: format!("x-person: {person}"), body: body.to_owned() }
    }

    /// Creates a request to the guarded route.
    #[must_use]
    pub fn with_token(token: &str) -> Self {
        let caller = format!("authorization: Bearer {token}");
        Self { method: "GET", path: "/".to_owned(), caller, body: String::new() }
    }

    /// Returns the request as HTTP/1.1 text.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { method, path, caller, body } = self;
        let length = body.len();
        let content = if body.is_empty() { "" } else { "content-type: application/json\r\n" };
        format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\n{caller}\r\n{content}\
             content-length: {length}\r\n\r\n{body}"
        )
    }
}
