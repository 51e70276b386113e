//! API7 Cloud's personal access tokens on Hallpass: people manage them in a console, programs call
//! the API with them.
//!
//! `cargo run --example api7`; `docs/systems/api7.md` shows how the original maps to Hallpass.

mod answer;
mod pages;
mod people;
mod tokens;

use std::process::ExitCode;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::map_response;
use axum::routing::{delete, get, post};
use clap::Parser;
use hallpass::prelude::*;
use hallpass::{
    Cached, Catalog, CatalogScope, Expiry, GuardedRouter, Hallpass, Limits, MemoryStore,
};
use tokio::net::TcpListener;
use tower_sessions::cookie::SameSite;
use tower_sessions::{MemoryStore as Sessions, SessionManagerLayer};

use crate::answer::ApiError;

/// API7 Cloud's personal access tokens on Hallpass.
#[derive(Debug, Parser)]
struct Options {
    /// Where to listen; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("api7: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind(&options.listen).await?;
    let hallpass = Hallpass::builder(Cached::new(MemoryStore::new()))
        .prefix("api7")
        .catalog(
            Catalog::new()
                .scope(
                    CatalogScope::new("account:read", "Read the account")
                        .with_description("Everything that the account itself may do.")
                        .with_docs_url("https://api7.cloud/api"),
                )
                .preset("account", "Everything", ["account"]),
        )
        .owner_directory(people::status)
        .limits(Limits::default().tokens_per_owner(50).default_expiry(Expiry::days(30)))
        .build();
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app(&hallpass))
        .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
        .await?;
    Ok(hallpass.shutdown().await?)
}

/// The console, for people with a cookie, and the API, for programs with a token.
fn app(hallpass: &Hallpass) -> Router {
    // Over TLS: `with_secure(true)`. Browsers do not send the cookie from pages of other sites.
    let sessions = SessionManagerLayer::new(Sessions::default())
        .with_name(pages::SESSION)
        .with_secure(false)
        .with_same_site(SameSite::Strict);
    let console = Router::new()
        .route("/user/login", post(people::login))
        .route("/user/tokens", get(tokens::list).post(tokens::generate).delete(tokens::delete_all))
        .route("/user/tokens/{id}", delete(tokens::delete))
        .with_state(tokens::Tokens::new(hallpass))
        .layer(sessions.clone());
    let layer = hallpass.layer().bearer_only().realm("api7").on_rejection(answer::write_rejection);
    let api =
        GuardedRouter::new().get("/user/me", "account:read", people::me).into_router_with(layer);
    let api = Router::new()
        .nest("/api/v1", console.merge(api))
        .fallback(async || ApiError::new(StatusCode::NOT_FOUND, "there is nothing here"))
        .layer(DefaultBodyLimit::max(64 * 1024))
        .layer(map_response(answer::in_envelope));
    // The pages have errors of their own, which the envelope above must not replace.
    api.merge(pages::routes(hallpass).layer(sessions)).layer(map_response(answer::with_request_id))
}
