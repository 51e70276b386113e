//! Magistrala's personal access tokens on Hallpass: people sign in and manage them, programs reach
//! channels with them.
//!
//! `cargo run --example magistrala`; `docs/systems/magistrala.md` shows how the original maps to
//! Hallpass.

mod channels;
mod duration;
mod error;
mod pages;
mod pats;
mod people;
mod request;
mod scopes;

use std::process::ExitCode;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::map_response;
use axum::{Router, routing};
use clap::Parser;
use hallpass::deps::jiff::{SignedDuration, Timestamp};
use hallpass::prelude::*;
use hallpass::{
    Cached, Expiry, GuardedRouter, Hallpass, Limits, ListOptions, MemoryStore, SqliteStore,
};
use hallpass::{Clock, parse_span};
use tokio::net::TcpListener;

use crate::error::ApiError;

/// Magistrala's personal access tokens on Hallpass.
#[derive(Debug, Parser)]
struct Options {
    /// Where to listen; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,

    /// Where tokens are kept: `sqlite:FILE`.
    #[arg(long, default_value = "sqlite:magistrala.db")]
    store: String,

    /// Advance the clock by this span, such as `2h`, to see tokens expire.
    #[arg(long, value_parser = parse_span, default_value = None)]
    later: Option<SignedDuration>,
}

/// The machine's clock, moved forward.
#[derive(Debug)]
struct Later(SignedDuration);

impl Clock for Later {
    fn now(&self) -> Timestamp {
        Timestamp::now().saturating_add(self.0).unwrap_or(Timestamp::MAX)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("magistrala: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind(&options.listen).await?;
    let pats = Hallpass::builder(Cached::new(SqliteStore::connect(&options.store).await?))
        .prefix("pat")
        .catalog(scopes::catalog())
        .owner_directory(people::status)
        // With this limit, one page of Hallpass's holds all PATs of a person.
        .limits(
            Limits::default()
                .tokens_per_owner(ListOptions::MAX_LIMIT)
                .default_expiry(Expiry::days(30)),
        )
        .clock(Later(options.later.unwrap_or_default()))
        .build();
    // Logins have a handle of their own. Neither handle accepts what the other one issues.
    let logins = Hallpass::builder(MemoryStore::new())
        .prefix("login")
        .limits(
            Limits::default().unlimited_tokens().default_expiry(Expiry::In(people::LOGIN_LIFETIME)),
        )
        .build();
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app(&pats, &logins))
        .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
        .await?;
    Ok(pats.shutdown().await?)
}

/// Builds the router. People with a login token manage PATs, and programs with a PAT reach the
/// channels that it names.
fn app(pats: &Hallpass, logins: &Hallpass) -> Router {
    let people = GuardedRouter::new().merge(pats::routes()).merge(scopes::routes());
    let guarded = |routes: GuardedRouter, hallpass: &Hallpass| {
        let layer =
            hallpass.layer().bearer_only().realm("magistrala").on_rejection(error::write_rejection);
        routes.into_router_with(layer)
    };
    let api = guarded(people.with_state(pats.clone()), logins)
        .merge(guarded(channels::routes(), pats))
        .route("/users/tokens/issue", routing::post(people::sign_in).with_state(logins.clone()))
        .fallback(async || ApiError::new(StatusCode::NOT_FOUND, "there is nothing here"))
        .layer(DefaultBodyLimit::max(64 * 1024))
        .layer(map_response(error::in_envelope));
    // The pages have errors of their own, which the envelope above must not replace.
    api.merge(pages::routes(pats, logins))
}
