//! A whole service with tokens: people sign in and manage them, programs call an API with them.
//!
//! `cargo run --example quickstart`

mod welcome;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use quickstart::{Common, Options, app, hallpass, stop};
use tokio::net::TcpListener;

/// The time that open requests have to finish when the service is asked to stop.
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
    // Signals count from here on, because a script that reads that the service is ready may stop it
    // at once.
    let (stop, overdue) = (stop()?, stop()?);
    welcome::print(&hallpass, listener.local_addr()?, options.confirm).await?;
    let serve =
        axum::serve(listener, app(&hallpass, &Common::default())).with_graceful_shutdown(stop);
    tokio::select! {
        ended = serve.into_future() => ended?,
        () = async { overdue.await; tokio::time::sleep(GRACE).await } => {
            eprintln!("quickstart: some requests did not end in time");
        }
    }
    // Requests that were aborted count as uses of their tokens, too.
    hallpass.shutdown().await?;
    Ok(())
}
