//! The service, the proxies in front of it, and requests as they are on the wire.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use hallpass_axum::{Authenticated, HallpassExt as _, HandlerExt as _, TokenApi};
use hallpass_core::{Actor, Hallpass, Issued, Limits, NewToken, Principal, authenticated};
use hallpass_dashboard::Dashboard;
use hallpass_memory::MemoryStore;
use hallpass_servers::{Nginx, Package};
use hallpass_tower::PolicyTable;
use http::header::{CACHE_CONTROL, COOKIE};
use http::request::Parts;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tower::{ServiceBuilder, service_fn};

pub(crate) struct Site {
    pub(crate) hallpass: Hallpass,
    nginx: Nginx,
}

/// A response as it was received.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Site {
    /// Starts the service and an nginx with these blocks, in which `{app}` is the service.
    pub(crate) async fn new(blocks: &[&str]) -> Self {
        let hallpass = Hallpass::builder(MemoryStore::new())
            .limits(Limits::default().unlimited_tokens())
            .build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let app = listener.local_addr().unwrap().to_string();
        let service = service(&hallpass);
        tokio::spawn(async move { axum::serve(listener, service).await });
        let blocks: Vec<_> = blocks.iter().map(|block| block.replace("{app}", &app)).collect();
        let nginx = tokio::task::spawn_blocking(move || {
            Package::NGINX.ensure_installed()?;
            Package::OPENSSL.ensure_installed()?;
            Nginx::start(&blocks.iter().map(String::as_str).collect::<Vec<_>>())
        });
        Self { hallpass, nginx: nginx.await.unwrap().unwrap() }
    }

    /// Returns the address of a block of nginx.
    pub(crate) fn address(&self, block: usize) -> SocketAddr {
        self.nginx.address(block)
    }

    pub(crate) async fn issue(&self, owner: &str, scopes: &[&str]) -> Issued {
        let new = NewToken::named("ci").scopes(scopes.iter().copied());
        self.hallpass.issue(&Actor::owner(owner), new).await.unwrap()
    }

    /// Sends a request, such as `GET /me`, with these header lines to a block, byte for byte.
    pub(crate) async fn send(
        &self,
        block: usize,
        request: &str,
        lines: &[&str],
        body: &str,
    ) -> Answer {
        let address = self.address(block);
        let mut text = format!("{request} HTTP/1.0\r\nhost: {address}\r\n");
        for line in lines {
            text += &format!("{line}\r\n");
        }
        if !body.is_empty() {
            text += "content-type: application/json\r\n";
        }
        text += &format!("content-length: {}\r\n\r\n{body}", body.len());
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(text.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Answer { status: status.expect(head), head: head.to_owned(), body: body.to_owned() }
    }
}

/// The header line that carries a token.
pub(crate) fn bearer(issued: &Issued) -> String {
    format!("authorization: Bearer {}", issued.token.reveal())
}

/// The person whom the cookie names: a stand-in for a session.
fn person(parts: &Parts) -> Option<String> {
    let cookie = parts.headers.get(COOKIE)?.to_str().ok()?;
    Some(cookie.strip_prefix("person=")?.to_owned())
}

async fn actor(parts: Parts) -> Option<Actor> {
    Actor::try_owner(person(&parts)?).ok()
}

async fn principal(parts: Parts) -> Option<Principal> {
    Some(Principal::external(person(&parts)?.parse().ok()?, Default::default()))
}

fn service(hallpass: &Hallpass) -> Router {
    let me = async |Authenticated(me): Authenticated| me.owner().to_string();
    let shared = async |Authenticated(me): Authenticated| {
        ([(CACHE_CONTROL, "public, max-age=600")], me.owner().to_string())
    };
    let hello = async |me: Option<Authenticated>| match me {
        Some(Authenticated(me)) => format!("hello {}", me.owner()),
        None => "hello stranger".to_owned(),
    };
    let guarded =
        Router::new().route("/me", get(me)).route("/shared", get(shared)).layer(hallpass.layer());
    let optional = Router::new().route("/hello", get(hello)).layer(hallpass.layer().optional());
    let signed_in = Router::new()
        .route("/person", get(me.scoped(authenticated())))
        .layer(hallpass.layer().fallback(principal));
    // The router matches nothing here, so the table finds the rule by the path.
    let table = PolicyTable::new()
        .get("/by-path/admin", "admin:panel")
        .get("/by-path/files/{*path}", "files:read")
        .get("/by-path/{name}", "names:read:{name}");
    let echo = service_fn(async |request: Request| {
        Ok::<_, Infallible>(Response::new(request.uri().path().to_owned()))
    });
    let by_path = ServiceBuilder::new().layer(hallpass.layer().policy(table)).service(echo);
    Router::new()
        .merge(guarded)
        .merge(optional)
        .merge(signed_in)
        .merge(TokenApi::new(hallpass, actor).into_router_at("/tokens"))
        .merge(Dashboard::new(hallpass, actor).into_router_at("/settings/tokens"))
        .fallback_service(by_path)
}
