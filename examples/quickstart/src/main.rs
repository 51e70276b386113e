//! A whole service with tokens: people sign in and manage them, programs call an API with them.
//!
//! `cargo run --example quickstart`

mod options;
mod pages;
mod people;
mod projects;
mod tokens;
mod welcome;

use std::time::Duration;

use axum::Router;
use clap::Parser as _;
use hallpass::{Hallpass, TokenApi};
use tower_sessions::cookie::SameSite;
use tower_sessions::{MemoryStore as Sessions, SessionManagerLayer};

use crate::options::Options;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_writer(std::io::stderr)
        .init();
    match run(Options::parse()).await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let passes = tokens::passes(&options).await?;
    let listener = tokio::net::TcpListener::bind(&options.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", options.listen))?;
    let address = listener.local_addr()?;
    welcome::print(&passes, address).await?;
    axum::serve(listener, app(&passes)).with_graceful_shutdown(stop()).await?;
    passes.flush_uses().await?;
    Ok(())
}

/// The service: an API for programs, and pages and the token API for people.
fn app(passes: &Hallpass) -> Router {
    // Over TLS: `with_secure(true)` and a name that starts with `__Host-`.
    let sessions = SessionManagerLayer::new(Sessions::default())
        .with_name("quickstart")
        .with_secure(false)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/");
    let api = Router::new().nest("/api", projects::routes().protect(passes));
    let people = pages::routes()
        .merge(people::routes())
        .merge(TokenApi::new(passes, people::signed_in).at("/tokens"))
        .layer(sessions);
    api.merge(people)
}

/// Ctrl-C or SIGTERM; then open requests get a few seconds to end.
async fn stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let mut terminate =
            match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                Ok(signal) => signal,
                Err(error) => return eprintln!("quickstart: no SIGTERM here: {error}"),
            };
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = interrupt.await;
    tokio::spawn(async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        eprintln!("quickstart: some requests did not end in time");
        std::process::exit(1);
    });
}
