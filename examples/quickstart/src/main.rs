//! A complete service with tokens: users sign in and manage their tokens, and programs call an API
//! with them.
//!
//! Run it with `cargo run --example quickstart`.

mod welcome;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use quickstart::{Common, Options, app, hallpass, stop};
use tokio::net::TcpListener;

/// The time limit for requests in flight when the service shuts down.
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
    let hallpass = hallpass(&options).await?;
    // The signal handlers are installed before the service prints that it is ready, because a
    // script may then stop it immediately.
    let (stop, overdue) = (stop()?, stop()?);
    welcome::print(&hallpass, listener.local_addr()?, options.confirm).await?;
    let serve =
        axum::serve(listener, app(&hallpass, &Common::default())).with_graceful_shutdown(stop);
    tokio::select! {
        ended = serve.into_future() => ended?,
        () = async { overdue.await; tokio::time::sleep(GRACE).await } => {
            eprintln!("quickstart: aborted requests that did not end in time");
        }
    }
    // Writes the recorded uses of tokens, including those by aborted requests.
    hallpass.shutdown().await?;
    Ok(())
}
