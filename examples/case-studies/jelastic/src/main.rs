//! The access tokens of a Jelastic platform on Hallpass: the token as `session=`, a scope for each
//! method of the API, and HTTP 200 with a result number in each response.
//!
//! `cargo run --example jelastic`

use std::process::ExitCode;

use clap::Parser;
use hallpass::{Cached, Hallpass, MemoryStore};
use jelastic::{configure, platform};
use tokio::net::TcpListener;

/// A Jelastic platform's access tokens on Hallpass.
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
            eprintln!("jelastic: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind(&options.listen).await?;
    let hallpass = configure(Hallpass::builder(Cached::new(MemoryStore::new()))).build();
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, platform(&hallpass))
        .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
        .await?;
    Ok(hallpass.shutdown().await?)
}
