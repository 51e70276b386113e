//! A service with a table of SHA-256 hashed keys moves to tokens. Each old key works until its
//! owner has exchanged it, so clients can change one by one.
//!
//! `cargo run --example old_keys -- 127.0.0.1:8080 keys.db`, and then add a key and exchange it:
//!
//! ```sh
//! hash=$(printf old-key | sha256sum | cut -c1-64)
//! sqlite3 keys.db "INSERT INTO api_keys VALUES (x'$hash', 'alice', 'projects:list')"
//! curl -X POST -H "Authorization: Bearer old-key" http://127.0.0.1:8080/exchange
//! ```

use std::error::Error;

use axum::http::{StatusCode, request::Parts};
use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use hallpass::{
    Actor, Authenticated, Cached, Hallpass, NewToken, Principal, ScopeSet, SqliteStore,
    authenticated, prelude::*,
};
use sha2::{Digest as _, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tokio::net::TcpListener;

/// Returns the hash of the key in `Authorization: Bearer`, as the service always looked it up.
fn hash(parts: &Parts) -> Option<Vec<u8>> {
    let key = parts.headers.get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")?;
    Some(Sha256::digest(key).to_vec())
}

/// Authenticates requests without a token: finds the owner and the scopes of an old key.
async fn old_key(
    pool: SqlitePool,
    parts: Parts,
) -> Result<Option<Principal>, Box<dyn Error + Send + Sync>> {
    let Some(hash) = hash(&parts) else { return Ok(None) };
    let query = sqlx::query_as("SELECT owner, scopes FROM api_keys WHERE hash = ?").bind(hash);
    let Some((owner, scopes)) = query.fetch_optional(&pool).await? as Option<(String, String)>
    else {
        return Ok(None);
    };
    Ok(Some(Principal::external(owner.parse()?, ScopeSet::parse(scopes.split_whitespace())?)))
}

/// Issues a token with the scopes of an old key to its owner, and removes the key, in one
/// transaction.
async fn exchange(
    State((pool, store, hallpass)): State<(SqlitePool, SqliteStore, Hallpass)>,
    Authenticated(caller): Authenticated,
    parts: Parts,
) -> Result<String, StatusCode> {
    let hash = hash(&parts).filter(|_| caller.is_external()).ok_or(StatusCode::CONFLICT)?;
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(unavailable)?;
    let delete = sqlx::query("DELETE FROM api_keys WHERE hash = ?").bind(hash);
    if delete.execute(&mut *transaction).await.map_err(unavailable)?.rows_affected() == 0 {
        return Err(StatusCode::CONFLICT); // Another request was faster.
    }
    let new = NewToken::named("exchanged")
        .scopes(caller.scopes().iter().map(ToString::to_string))
        .expires("90d");
    let owner = Actor::owner(caller.owner().as_str());
    let pending = store.issue_in(&mut transaction, &hallpass, &owner, new).await;
    let pending = pending.map_err(unavailable)?;
    transaction.commit().await.map_err(unavailable)?;
    Ok(pending.committed().token.reveal().to_owned())
}

fn unavailable(error: impl Error) -> StatusCode {
    eprintln!("{error}");
    StatusCode::SERVICE_UNAVAILABLE
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("the first argument is the address to listen on")?;
    let file = arguments.next().ok_or("the second argument is the database")?;
    let pool = SqlitePool::connect_with(
        SqliteConnectOptions::new().filename(file).create_if_missing(true),
    )
    .await?;
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS api_keys (hash BLOB PRIMARY KEY, owner TEXT NOT NULL, scopes TEXT NOT NULL)")
        .execute(&pool).await?;

    let store = SqliteStore::from_pool(&pool).await?;
    let hallpass = Hallpass::builder(Cached::new(store.clone())).prefix("acme").build();
    let keys = pool.clone();
    let app = Router::new()
        .route("/projects", get((async || "the projects\n").scoped("projects:list")))
        .route("/exchange", post(exchange.scoped(authenticated())))
        .layer(hallpass.layer().fallback(move |parts: Parts| old_key(keys.clone(), parts)))
        .with_state((pool, store, hallpass));
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
