//! Three nodes of the quickstart service behind one address, with one store. All of them reject a
//! token that is revoked on one of them.
//!
//! Run it with `cargo run --example cluster`.

mod front;
mod node;
mod revocation;
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

/// Three nodes of the quickstart service behind one address.
#[derive(Parser)]
#[command(name = "cluster")]
struct Options {
    /// The address to listen on. Port 0 selects a free port.
    #[arg(long, env = "HALLPASS_LISTEN", default_value = "127.0.0.1:8080")]
    listen: String,

    /// The store of the tokens: `postgres` or `redis` for a temporary server, or the URL of an
    /// existing one.
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
    // The signal handlers are installed before the service prints that it is ready, because a
    // script may then stop it immediately.
    let stop = quickstart::stop()?;
    let common = Common::default();
    let nodes = try_join_all((1..=NODES).map(|number| Node::start(number, store.url(), &common)));
    let nodes = nodes.await?;
    print(&format!("listening on http://{}", listener.local_addr()?));
    print(&revocation::demonstrate(&nodes).await?);
    let addresses = nodes.iter().map(Node::address).collect();
    tokio::select! {
        () = front::serve(listener, addresses) => {}
        () = stop => {}
    }
    for node in nodes {
        node.shut_down().await?;
    }
    Ok(())
}

/// Prints a text. An error is ignored, so that the service also runs without a standard output.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
