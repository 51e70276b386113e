//! A whole service with tokens: people sign in and manage them, programs call an API with them.
//!
//! `cargo run --example quickstart`

mod options;
mod pages;
mod people;
mod problem;
mod projects;
mod stop;
mod tokens;
mod welcome;

use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use clap::Parser as _;
use hallpass::{Hallpass, TokenApi};
use tokio::net::TcpListener;
use tower_sessions::cookie::SameSite;
use tower_sessions::{MemoryStore as Sessions, SessionManagerLayer};

use crate::options::Options;
use crate::problem::Problem;

/// The cookie of people who are signed in. Over TLS its name would start with `__Host-`.
const COOKIE: &str = "quickstart";

/// How long open requests get to end, once the service is asked to.
const GRACE: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_writer(std::io::stderr)
        .init();
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind(&options.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", options.listen))?;
    let passes = tokens::passes(&options).await?;
    // Heard from here on: who reads that the service is ready may end it at once.
    let (stop, overdue) = (stop::asked()?, stop::asked()?);
    welcome::print(&passes, listener.local_addr()?).await?;
    let serve = axum::serve(listener, app(&passes)).with_graceful_shutdown(stop);
    tokio::select! {
        ended = serve.into_future() => ended?,
        () = async { overdue.await; tokio::time::sleep(GRACE).await } => {
            eprintln!("quickstart: some requests did not end in time");
        }
    }
    // What was cut off counts as a use of its token, too.
    passes.shutdown().await?;
    Ok(())
}

/// The service: an API for programs, and pages and the token API for people.
fn app(passes: &Hallpass) -> Router {
    // Over TLS: `with_secure(true)`.
    let sessions = SessionManagerLayer::new(Sessions::default())
        .with_name(COOKIE)
        .with_secure(false)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/");
    let api = Router::new().nest("/api", projects::routes().protect(passes));
    let people = pages::routes()
        .merge(people::routes())
        .merge(TokenApi::new(passes, people::signed_in).session_cookie(COOKIE).at("/tokens"))
        .layer(sessions);
    api.merge(people).fallback(nothing_here).method_not_allowed_fallback(no_such_method)
}

async fn nothing_here() -> Problem {
    Problem(StatusCode::NOT_FOUND, "there is nothing here".to_owned())
}

async fn no_such_method() -> Problem {
    Problem(StatusCode::METHOD_NOT_ALLOWED, "`Allow` names the methods that are".to_owned())
}
