//! One route for people with a session and for programs with a token.
//!
//! `cargo run --example session_or_token`, and then `GET /projects` with the token that it prints,
//! or with the cookie that `POST /login/bob` sets.

use axum::extract::Path;
use axum::http::{StatusCode, request::Parts};
use axum::{
    Router,
    routing::{get, post},
};
use hallpass::{
    Actor, Authenticated, Cached, Hallpass, MemoryStore, NewToken, Principal, ScopeSet, prelude::*,
};
use tokio::net::TcpListener;
use tower_sessions::{MemoryStore as Sessions, Session, SessionManagerLayer};

const PERSON: &str = "person";

async fn list(Authenticated(caller): Authenticated) -> String {
    let how = if caller.is_external() { "a session" } else { "a token" };
    format!("the projects of {}, by {how}\n", caller.owner())
}

/// Replaces your sign-in in this example: it accepts every name. The example `own_login` checks
/// passwords.
async fn sign_in(session: Session, Path(name): Path<String>) -> Result<(), StatusCode> {
    session.cycle_id().await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    session.insert(PERSON, name).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

/// Authenticates requests without a token, and returns the person's scopes. An error causes a 503.
async fn person(
    parts: Parts,
) -> Result<Option<Principal>, Box<dyn std::error::Error + Send + Sync>> {
    let session = parts.extensions.get::<Session>();
    let session = session.ok_or("no session: put the session layer outside of the token layer")?;
    let Some(name) = session.get::<String>(PERSON).await? else { return Ok(None) };
    Ok(Some(Principal::external(name.parse()?, ScopeSet::parse(["projects:list"])?)))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let hallpass = Hallpass::builder(Cached::new(MemoryStore::new())).prefix("acme").build();
    let sessions = SessionManagerLayer::new(Sessions::default()).with_secure(false); // Over TLS: true.
    let app = Router::new()
        .route(
            "/projects",
            get(list.scoped("projects:list")).post((async || "created\n").scoped("projects:list")),
        )
        .layer(hallpass.layer().fallback(person)) // Inside of the sessions.
        .route("/login/{name}", post(sign_in))
        .layer(sessions);

    let new = NewToken::named("first").scope("projects:list").expires("1d");
    let issued = hallpass.issue(&Actor::owner("alice"), new).await?;
    println!("token: {}", issued.token.reveal());

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
