//! Three nodes of the quickstart behind one address, on one store. A token that is revoked on one
//! of them is rejected by all.
//!
//! `cargo run --example cluster`

mod front;
mod node;
mod show;
mod store;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use futures::future::try_join_all;
use quickstart::Common;
use tokio::net::TcpListener;

use crate::node::Node;
use crate::store::Store;

/// The number of nodes.
const NODES: usize = 3;

/// Three nodes of the quickstart behind one address.
#[derive(Parser)]
#[command(name = "cluster")]
struct Options {
    /// Where to listen; port 0 picks a free one.
    #[arg(long, env = "HALLPASS_LISTEN", default_value = "127.0.0.1:8080")]
    listen: String,

    /// Where tokens are kept: `postgres` or `redis`, for a server of its own that is gone
    /// afterwards, or a URL.
    #[arg(long, env = "HALLPASS_STORE", default_value = "postgres")]
    store: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_writer(std::io::stderr)
        .init();
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cluster: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<()> {
    let listener = TcpListener::bind(&options.listen)
        .await
        .with_context(|| format!("cannot listen on {}", options.listen))?;
    let Options { store, .. } = options;
    let store = tokio::task::spawn_blocking(move || Store::start(&store)).await??;
    // Signals count from here on, because a script that reads that the service is ready may stop it
    // at once.
    let stop = quickstart::stop()?;
    let common = Common::default();
    let nodes = try_join_all((1..=NODES).map(|number| Node::start(number, store.url(), &common)));
    let nodes = nodes.await?;
    say(&format!("listening on http://{}", listener.local_addr()?));
    say(&show::a_revocation(&nodes).await?);
    let addresses = nodes.iter().map(Node::address).collect();
    tokio::select! {
        () = front::serve(listener, addresses) => {}
        () = stop => {}
    }
    for node in nodes {
        node.end().await?;
    }
    Ok(())
}

/// Prints a text. The service runs even if it cannot be written.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
