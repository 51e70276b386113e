//! hyper without a framework: a policy table sets the requirement of each path.
//!
//! `cargo run --example plain_hyper`

use std::convert::Infallible;

use hallpass::{Actor, Cached, Hallpass, MemoryStore, NewToken, PolicyTable, prelude::*, public};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::{ServiceBuilder, service_fn};

async fn hello(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let name = request.principal().map_or("nobody", |caller| caller.owner().as_str());
    Ok(Response::new(format!("hello {name}\n")))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let hallpass = Hallpass::builder(Cached::new(MemoryStore::new())).prefix("acme").build();
    // A path that is not in the table is 403.
    let table =
        PolicyTable::new().get("/health", public()).get("/projects/{id}", "projects:read:{id}");
    let service =
        ServiceBuilder::new().layer(hallpass.layer().policy(table)).service(service_fn(hello));

    let new = NewToken::named("first").scope("projects:read:atlas").expires("1d");
    let issued = hallpass.issue(&Actor::owner("alice"), new).await?;
    println!("token: {}", issued.token.reveal());

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            if let Err(error) = server.serve_connection(TokioIo::new(stream), service).await {
                eprintln!("connection lost: {error}");
            }
        });
    }
}
