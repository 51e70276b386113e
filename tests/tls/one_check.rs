//! Opens the store at a URL as a service would, issues a token and checks it. Usage:
//! `one-check URL`.

use anyhow::{Context as _, Result, bail};
use hallpass_core::store::TokenStore;
use hallpass_core::{Actor, Hallpass, NewToken};
use hallpass_postgres::PostgresStore;
use hallpass_redis::RedisStore;

#[tokio::main]
async fn main() -> Result<()> {
    let url = std::env::args().nth(1).context("expected one argument: the URL of a store")?;
    match url.split_once(':').context("the argument is no URL")?.0 {
        "postgres" => check(PostgresStore::connect(&url).await?).await,
        "redis" | "rediss" => check(RedisStore::connect(&url).await?).await,
        _ => bail!("the URL must start with postgres:, redis: or rediss:"),
    }
}

async fn check(store: impl TokenStore) -> Result<()> {
    let hallpass = Hallpass::builder(store).build();
    let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await?;
    hallpass.authenticate(issued.token.reveal().as_bytes()).await?;
    println!("in");
    Ok(())
}
