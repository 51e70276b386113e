//! A WebSocket and an event stream with `?session=`, because a browser cannot set a header there.
//! Both end when the token is revoked.
//!
//! `cargo run --example live`, and with the token that it prints:
//! `curl -N "http://127.0.0.1:8080/events?session=TOKEN"`. To revoke it:
//! `curl -X DELETE -H "Authorization: Bearer TOKEN" http://127.0.0.1:8080/tokens/current`

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::request::Parts;
use axum::response::Response;
use axum::response::sse::{Event, Sse};
use axum::{Router, routing::get};
use futures::Stream;
use hallpass::{
    Actor, AuthError, Authenticated, Cached, Hallpass, MemoryStore, NewToken, Principal, TokenApi,
    prelude::*,
};
use tokio::net::TcpListener;
use tokio::time::sleep;

/// The token is checked at the start of a connection. This waits a moment, and checks it again.
/// Ends with `None` when the token no longer allows it. An outage of the store does not end it.
async fn next(hallpass: &Hallpass, caller: &Principal) -> Option<String> {
    sleep(Duration::from_millis(500)).await;
    match hallpass.recheck(caller).await {
        // The scope may have been removed from the token.
        Ok(now) if !now.allows(&"news:read".parse().ok()?) => None,
        Ok(_) | Err(AuthError::Unavailable(_)) => Some(format!("news for {}", caller.owner())),
        Err(_) => None,
    }
}

async fn socket(
    State(hallpass): State<Hallpass>,
    Authenticated(caller): Authenticated,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.on_upgrade(async move |mut socket: WebSocket| {
        while let Some(news) = next(&hallpass, &caller).await {
            if socket.send(Message::text(news)).await.is_err() {
                return;
            }
        }
        let _ = socket.send(Message::Close(None)).await; // The client may have disconnected.
    })
}

async fn events(
    State(hallpass): State<Hallpass>,
    Authenticated(caller): Authenticated,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(futures::stream::unfold((hallpass, caller), async |(hallpass, caller)| {
        let news = next(&hallpass, &caller).await?;
        Some((Ok(Event::default().data(news)), (hallpass, caller)))
    }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let hallpass = Hallpass::builder(Cached::new(MemoryStore::new())).prefix("acme").build();
    let app = Router::new()
        .route("/socket", get(socket.scoped("news:read")))
        .route("/events", get(events.scoped("news:read")))
        .layer(hallpass.layer())
        .with_state(hallpass.clone())
        // `DELETE /tokens/current` revokes the token of the request. There is no sign-in here.
        .merge(TokenApi::new(&hallpass, async |_: Parts| None::<Actor>).into_router_at("/tokens"));

    // URLs are often logged, so such a token expires soon.
    let new = NewToken::named("browser").scope("news:read").expires("1h");
    let issued = hallpass.issue(&Actor::owner("alice"), new).await?;
    println!("token: {}", issued.token.reveal());

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
