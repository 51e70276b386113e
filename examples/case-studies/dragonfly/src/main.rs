//! Dragonfly's personal access tokens on Hallpass: people sign in and manage them, programs call
//! the Open API with them.
//!
//! `cargo run --example dragonfly`

use std::process::ExitCode;

use clap::Parser;
use dragonfly::{configure, manager};
use hallpass::{Cached, Hallpass, MemoryStore};
use tokio::net::TcpListener;

/// Dragonfly's personal access tokens on Hallpass.
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
            eprintln!("dragonfly: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind(&options.listen).await?;
    let hallpass = configure(Hallpass::builder(Cached::new(MemoryStore::new()))).build();
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, manager(&hallpass))
        .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
        .await?;
    Ok(hallpass.shutdown().await?)
}
