//! Tests of the host's own sign-in in addition to tokens: sessions, JSON Web Tokens, and keys of an
//! older scheme.

mod jwt;
mod login;
mod old_keys;
mod rules;
mod session;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use hallpass_axum::{Authenticated, HandlerExt};
use hallpass_core::{Actor, Event, Hallpass, HallpassBuilder, NewToken, Principal, ScopeSet};
use hallpass_memory::MemoryStore;

use crate::capture;
use crate::host::serve_axum;
use crate::wire::{Answer, Http1};

/// An application on a server, with its handle.
struct Site {
    hallpass: Hallpass,
    address: SocketAddr,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Site {
    /// Serves the application that `app` creates from the handle.
    async fn new(app: impl FnOnce(&Hallpass) -> Router) -> Self {
        Self::with(|builder| builder, app).await
    }

    /// Serves an application as [`new`](Self::new) does, with more settings of the handle.
    async fn with(
        set_up: impl FnOnce(HallpassBuilder) -> HallpassBuilder,
        app: impl FnOnce(&Hallpass) -> Router,
    ) -> Self {
        capture::start();
        let events = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&events);
        let hallpass = set_up(Hallpass::builder(MemoryStore::new()))
            .events(move |event: &Event| sink.lock().unwrap().push(event.clone()))
            .build();
        let address = serve_axum(app(&hallpass)).await;
        Self { hallpass, address, events }
    }

    /// Issues a token of alice with these scopes and returns it as a header line.
    async fn token(&self, scopes: &[&str]) -> String {
        let new = NewToken::named("ci").scopes(scopes.iter().copied());
        let issued = self.hallpass.issue(&Actor::owner("alice"), new).await.unwrap();
        format!("authorization: Bearer {}", issued.token.reveal())
    }

    async fn send(&self, request: &str, lines: &[&str]) -> Answer {
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let request =
            format!("{request} HTTP/1.1\r\nhost: app.example\r\ncontent-length: 0\r\n{lines}\r\n");
        Http1::exchange(self.address, request.as_bytes()).await
    }

    async fn status(&self, request: &str, lines: &[&str]) -> u16 {
        self.send(request, lines).await.status
    }
}

/// Returns the routes of every application in these tests. `GET /me` returns the caller.
fn routes() -> Router {
    let me = async |Authenticated(me): Authenticated| {
        format!("{} by {}", me.owner(), if me.is_external() { "sign-in" } else { "token" })
    };
    let done = async || "done";
    Router::new()
        .route("/me", get(me))
        .route("/projects", get(done.scoped("projects:list")).post(done.scoped("projects:create")))
}

/// Returns a principal of the host who may list and create projects.
fn person(name: &str) -> Option<Principal> {
    let scopes = ScopeSet::parse(["projects:list", "projects:create"]).unwrap();
    Some(Principal::external(name.parse().ok()?, scopes))
}
