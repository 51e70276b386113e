//! The smallest service: a store, a token and a route that needs a scope.
//!
//! `cargo run --example minimal`, and with the token that it prints:
//! `curl -H "Authorization: Bearer TOKEN" http://127.0.0.1:8080/projects`

use axum::{Router, routing::get};
use hallpass::{Actor, Authenticated, Cached, Hallpass, MemoryStore, NewToken, prelude::*};
use tokio::net::TcpListener;

async fn list(Authenticated(caller): Authenticated) -> String {
    format!("the projects of {}\n", caller.owner())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The memory store loses its tokens at the end. A real service opens another store here.
    let hallpass = Hallpass::builder(Cached::new(MemoryStore::new())).prefix("acme").build();
    let app =
        Router::new().route("/projects", get(list.scoped("projects:list"))).layer(hallpass.layer());

    let new = NewToken::named("first").scope("projects:list").expires("1d");
    let issued = hallpass.issue(&Actor::owner("alice"), new).await?;
    println!("token: {}", issued.token.reveal());

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
