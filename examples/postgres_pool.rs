//! Tokens in the service's own PostgreSQL database, on the service's own pool.
//!
//! `cargo run --example postgres_pool -- 127.0.0.1:8080 postgres://app:password@db.example/app`,
//! and with the token that it prints:
//! `curl -H "Authorization: Bearer TOKEN" -d "a note" http://127.0.0.1:8080/notes`

use axum::extract::State;
use axum::{Router, http::StatusCode, routing::get};
use hallpass::{Actor, Authenticated, Cached, Hallpass, NewToken, PostgresStore, prelude::*};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tokio::net::TcpListener;

async fn list(
    State(pool): State<PgPool>,
    Authenticated(caller): Authenticated,
) -> Result<String, StatusCode> {
    let notes: Vec<(String,)> =
        sqlx::query_as("SELECT body FROM notes WHERE owner = $1 ORDER BY id")
            .bind(caller.owner().as_str())
            .fetch_all(&pool)
            .await
            .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(notes.into_iter().map(|(body,)| body + "\n").collect())
}

async fn create(
    State(pool): State<PgPool>,
    Authenticated(caller): Authenticated,
    body: String,
) -> Result<StatusCode, StatusCode> {
    // The note refers to the token that wrote it, until the token is deleted.
    sqlx::query("INSERT INTO notes (owner, token, body) VALUES ($1, $2::uuid, $3)")
        .bind(caller.owner().as_str())
        .bind(caller.token_id().map(|id| id.to_string()))
        .bind(body)
        .execute(&pool)
        .await
        .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(StatusCode::CREATED)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("the first argument is the address to listen on")?;
    let url = arguments.next().ok_or("the second argument is the database's URL")?;
    let options =
        [("statement_timeout", "2s"), ("default_transaction_isolation", "read committed")];
    let options = url.parse::<PgConnectOptions>()?.options(options);
    let pool = PgPoolOptions::new().test_before_acquire(false).connect_with(options).await?;

    let store = PostgresStore::from_pool(&pool).await?; // Creates the schema `hallpass`.
    let hallpass = Hallpass::builder(Cached::new(store)).prefix("acme").build();
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS notes (
            id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            owner TEXT NOT NULL,
            token UUID REFERENCES hallpass.tokens (id) ON DELETE SET NULL,
            body TEXT NOT NULL)",
    )
    .execute(&pool)
    .await?;

    let app = Router::new()
        .route("/notes", get(list.scoped("notes:list")).post(create.scoped("notes:create")))
        .layer(hallpass.layer())
        .with_state(pool);
    let new = NewToken::named("first").scope("notes").expires("1d");
    let issued = hallpass.issue(&Actor::owner("alice"), new).await?;
    println!("token: {}", issued.token.reveal());

    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
