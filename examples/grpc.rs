//! tonic: a policy table sets the requirement of each gRPC method, and rejections are gRPC
//! statuses.
//!
//! `cargo run --example grpc`

use hallpass::{Actor, Cached, Hallpass, MemoryStore, NewToken, PolicyTable, TokenLayer, public};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let hallpass = Hallpass::builder(Cached::new(MemoryStore::new())).prefix("acme").build();
    // A gRPC method is the route `/package.Service/Method`, called by `POST`.
    let table = PolicyTable::new()
        .post("/grpc.health.v1.Health/Check", public())
        .post("/grpc.health.v1.Health/Watch", "health:watch");
    let (_reporter, health) = tonic_health::server::health_reporter();

    let new = NewToken::named("first").scope("health:watch").expires("1d");
    let issued = hallpass.issue(&Actor::owner("alice"), new).await?;
    println!("token: {}", issued.token.reveal());

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Server::builder()
        .layer(TokenLayer::new(&hallpass).grpc().policy(table))
        .add_service(health)
        .serve_with_incoming(TcpIncoming::from(listener))
        .await?;
    Ok(())
}
