//! A service behind nginx, with the configuration `nginx.conf` in the same folder.
//!
//! `cargo run --example behind_nginx`, and in a second terminal, also in the repository's folder,
//! `nginx -p . -c examples/nginx.conf -g 'daemon off;'`. The service is then at
//! `http://127.0.0.1:8081/app/projects`.

use std::net::SocketAddr;

use axum::http::request::Parts;
use axum::{Router, routing::get};
use hallpass::{
    Actor, Cached, Event, Hallpass, MemoryStore, NewToken, TokenApi, TrustedProxies, prelude::*,
};
use tokio::net::TcpListener;

async fn list() -> &'static str {
    "the projects\n"
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let hallpass = Hallpass::builder(Cached::new(MemoryStore::new()))
        .prefix("acme")
        // The client's address is read only from the headers of these proxies.
        .trusted_proxies(TrustedProxies::networks(["127.0.0.1/32"]))
        .events(|event: &Event| println!("event: {} from {:?}", event.kind, event.origin.ip_addr()))
        .build();
    let app = Router::new()
        .route("/projects", get(list.scoped("projects:list")))
        .layer(hallpass.layer())
        // `DELETE /tokens/current` revokes the token of the request. There is no sign-in here.
        .merge(TokenApi::new(&hallpass, async |_: Parts| None::<Actor>).into_router_at("/tokens"));

    let new = NewToken::named("first").scope("projects:list").expires("1d");
    let issued = hallpass.issue(&Actor::owner("alice"), new).await?;
    println!("token: {}", issued.token.reveal());

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
