//! An implementation without a cache: a `SELECT` per request, optionally with an `UPDATE` of the
//! last use. It uses sqlx's pool, prepared statements and an index on the digest.

use std::sync::Arc;

use anyhow::Result;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::AUTHORIZATION;
use sha2::{Digest as _, Sha256};
use sqlx::Row;
use sqlx::postgres::{PgPool, PgPoolOptions};

/// The pool's size, which is enough to keep the database busy.
const CONNECTIONS: u32 = 16;

/// A lookup of tokens in a table.
#[derive(Clone)]
pub(crate) struct Lookup {
    pool: PgPool,
    keeps_last_use: bool,
}

/// The holder of a token, which a handler would read.
pub(crate) struct Holder {
    #[expect(dead_code, reason = "only a handler would read it")]
    pub(crate) owner: String,
}

impl Lookup {
    /// Opens a pool and creates a table with these tokens.
    pub(crate) async fn new(url: &str, tokens: &[String], keeps_last_use: bool) -> Result<Self> {
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await?;
        sqlx::query(
            "CREATE TABLE IF NOT EXISTS tokens (digest bytea PRIMARY KEY, owner text NOT NULL, \
             scopes text[] NOT NULL, expires_at bigint NOT NULL, last_used_at bigint)",
        )
        .execute(&pool)
        .await?;
        let digests: Vec<Vec<u8>> = tokens.iter().map(|token| digest(token)).collect();
        let owners: Vec<String> =
            (0..tokens.len()).map(|number| format!("owner-{number}")).collect();
        sqlx::query(
            "INSERT INTO tokens SELECT digest, owner, ARRAY['projects:read'], $3 \
             FROM unnest($1::bytea[], $2::text[]) AS t (digest, owner) ON CONFLICT DO NOTHING",
        )
        .bind(digests)
        .bind(owners)
        .bind(now() + 86_400)
        .execute(&pool)
        .await?;
        sqlx::query("VACUUM ANALYZE tokens").execute(&pool).await?;
        Ok(Self { pool, keeps_last_use })
    }

    async fn check(&self, token: &str) -> sqlx::Result<Option<Holder>> {
        let digest = digest(token);
        let row = sqlx::query("SELECT owner, scopes, expires_at FROM tokens WHERE digest = $1")
            .bind(&digest)
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let scopes: Vec<String> = row.try_get("scopes")?;
        let expires: i64 = row.try_get("expires_at")?;
        if now() >= expires || !scopes.iter().any(|scope| scope == "projects:read") {
            return Ok(None);
        }
        if self.keeps_last_use {
            sqlx::query("UPDATE tokens SET last_used_at = $2 WHERE digest = $1")
                .bind(&digest)
                .bind(now())
                .execute(&self.pool)
                .await?;
        }
        Ok(Some(Holder { owner: row.try_get("owner")? }))
    }
}

/// Middleware for `from_fn_with_state(lookup, gate)`.
pub(crate) async fn gate(
    State(lookup): State<Lookup>,
    mut request: Request,
    next: Next,
) -> Response {
    let value = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(token) = value.and_then(|value| value.strip_prefix("Bearer ")) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    match lookup.check(token).await {
        Ok(Some(holder)) => {
            request.extensions_mut().insert(Arc::new(holder));
            next.run(request).await
        }
        Ok(None) => StatusCode::UNAUTHORIZED.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn digest(token: &str) -> Vec<u8> {
    Sha256::digest(token).to_vec()
}
