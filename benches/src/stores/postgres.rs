//! A PostgreSQL server, and a bare table in the same database.

use anyhow::Result;
use hallpass_core::TokenId;
use hallpass_core::store::StoredToken;
use hallpass_postgres::PostgresStore;
use sqlx::Row as _;
use sqlx::postgres::{PgPool, PgPoolOptions};

use super::compared::{Bare, ComparedBackend};
use super::rows::Row;
use crate::backend::PostgresBackend;

macro_rules! insert {
    ($table:literal) => {
        concat!(
            "INSERT INTO ", $table, " (id, owner, name, description, scopes, created_at, expires_at, \
             last_used_at, revoked_at, revision, algorithm, digest) \
             SELECT id::uuid, owner, name, description, string_to_array(scopes, ' '), \
             to_timestamp(0) + created_at * interval '1 millisecond', \
             to_timestamp(0) + expires_at * interval '1 millisecond', \
             to_timestamp(0) + last_used_at * interval '1 millisecond', \
             to_timestamp(0) + revoked_at * interval '1 millisecond', \
             revision, algorithm, decode(digest, 'hex') \
             FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int8[], $7::int8[], \
             $8::int8[], $9::int8[], $10::int8[], $11::text[], $12::text[]) AS t (id, owner, name, description, \
             scopes, created_at, expires_at, last_used_at, revoked_at, revision, algorithm, digest)"
        )
    };
}

const INSERT: &str = insert!("hallpass.tokens");

const INSERT_BARE: &str = insert!("bare");

const CREATE_BARE: &str = "CREATE TABLE bare (id uuid NOT NULL PRIMARY KEY, owner text NOT NULL, \
     name text NOT NULL, description text NOT NULL, scopes text[] NOT NULL, created_at timestamptz NOT NULL, \
     expires_at timestamptz, last_used_at timestamptz, revoked_at timestamptz, regenerated_at timestamptz, \
     revision bigint NOT NULL, algorithm text NOT NULL, digest bytea NOT NULL, \
     previous_algorithm text, previous_digest bytea, previous_until timestamptz)";

const FIND: &str = "SELECT id, owner, name, description, scopes, created_at, expires_at, last_used_at, \
     revoked_at, regenerated_at, revision, algorithm, digest, previous_algorithm, previous_digest, \
     previous_until FROM bare WHERE id = $1::uuid";

/// The size of the pool, the same as the store's.
const CONNECTIONS: u32 = 8;

impl ComparedBackend for PostgresBackend {
    type Bare = BareTable;

    async fn fill(&self, _: &PostgresStore, tokens: &[StoredToken]) -> Result<()> {
        let pool = PgPoolOptions::new().max_connections(1).connect(self.url()).await?;
        fill(&pool, INSERT, tokens).await?;
        pool.close().await;
        Ok(())
    }

    async fn bytes(&self) -> Result<u64> {
        let pool = PgPoolOptions::new().max_connections(1).connect(self.url()).await?;
        let size = size(&pool, "VACUUM ANALYZE hallpass.tokens", "hallpass.tokens").await?;
        pool.close().await;
        Ok(size)
    }

    async fn log_bytes(&self) -> Result<u64> {
        let pool = PgPoolOptions::new().max_connections(1).connect(self.url()).await?;
        let size = size(&pool, "VACUUM hallpass.changes", "hallpass.changes").await?;
        pool.close().await;
        Ok(size)
    }

    async fn bare(&self) -> Result<BareTable> {
        // These are the settings of the store's own pool.
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .test_before_acquire(false)
            .connect(self.url())
            .await?;
        sqlx::query(CREATE_BARE).execute(&pool).await?;
        Ok(BareTable(pool))
    }
}

/// A table with only a primary key.
pub(super) struct BareTable(PgPool);

impl Bare for BareTable {
    async fn fill(&self, tokens: &[StoredToken]) -> Result<()> {
        fill(&self.0, INSERT_BARE, tokens).await
    }

    async fn bytes(&self) -> Result<u64> {
        size(&self.0, "VACUUM ANALYZE bare", "bare").await
    }

    async fn find(&self, id: TokenId) -> Result<bool> {
        let query = sqlx::query(FIND).bind(id.to_string());
        let Some(row) = query.fetch_optional(&self.0).await? else { return Ok(false) };
        for column in 0..row.len() {
            std::hint::black_box(row.try_get_raw(column)?.as_bytes().map_or(0, <[u8]>::len));
        }
        Ok(true)
    }

    async fn note_use(&self, id: TokenId) -> Result<()> {
        sqlx::query("UPDATE bare SET last_used_at = now() WHERE id = $1::uuid")
            .bind(id.to_string())
            .execute(&self.0)
            .await?;
        Ok(())
    }
}

async fn fill(pool: &PgPool, insert: &'static str, tokens: &[StoredToken]) -> Result<()> {
    let rows: Vec<Row> = tokens.iter().map(Row::from).collect();
    let texts =
        |of: fn(&Row) -> &String| rows.iter().map(|row| of(row).clone()).collect::<Vec<_>>();
    let times = |of: fn(&Row) -> Option<i64>| rows.iter().map(of).collect::<Vec<_>>();
    sqlx::query(insert)
        .bind(texts(|row| &row.id))
        .bind(texts(|row| &row.owner))
        .bind(texts(|row| &row.name))
        .bind(texts(|row| &row.description))
        .bind(texts(|row| &row.scopes))
        .bind(times(|row| Some(row.created_at)))
        .bind(times(|row| row.expires_at))
        .bind(times(|row| row.last_used_at))
        .bind(times(|row| row.revoked_at))
        .bind(times(|row| Some(row.revision)))
        .bind(texts(|row| &row.algorithm))
        .bind(texts(|row| &row.digest))
        .execute(pool)
        .await?;
    Ok(())
}

async fn size(pool: &PgPool, vacuum: &'static str, table: &str) -> Result<u64> {
    sqlx::query(vacuum).execute(pool).await?;
    let sized = sqlx::query("SELECT pg_total_relation_size($1::text::regclass)").bind(table);
    Ok(sized.fetch_one(pool).await?.try_get::<i64, _>(0)?.cast_unsigned())
}
