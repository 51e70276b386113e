//! A Redis server, and bare hashes on it.

use std::sync::Arc;

use anyhow::{Context, Result};
use futures::future::try_join_all;
use hallpass_core::TokenId;
use hallpass_core::jiff::Timestamp;
use hallpass_core::store::{StoredToken, TokenStore as _};
use hallpass_redis::RedisStore;
use hallpass_servers::Redis;
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands as _, Client, Value, pipe};

use super::compared::{Bare, ComparedBackend};
use crate::backend::RedisBackend;

/// The number of tokens that are written concurrently.
const AT_ONCE: usize = 100;

impl ComparedBackend for RedisBackend {
    type Bare = BareHashes;

    /// Writes by the store itself, which is fast enough if many writes run concurrently.
    async fn fill(&self, store: &RedisStore, tokens: &[StoredToken]) -> Result<()> {
        let insert = async |token| store.insert(token, None, &super::tokens::event(token)).await;
        for some in tokens.chunks(AT_ONCE) {
            try_join_all(some.iter().map(insert)).await?;
        }
        Ok(())
    }

    async fn bytes(&self) -> Result<u64> {
        self.log_bytes().await?;
        used_memory(self.server())
    }

    /// Deletes the log, because Redis reports only the memory of all keys together.
    async fn log_bytes(&self) -> Result<u64> {
        // The outcome of a change, which is kept for a day in case that its reply is lost.
        self.delete_keys("{hallpass}f*")?;
        let with = used_memory(self.server())?;
        // Readers need the last entry to find their position.
        self.server().run(&["XTRIM", "{hallpass}l", "MAXLEN", "=", "1"])?;
        self.delete_keys("{hallpass}l[ot]*")?;
        Ok(with.saturating_sub(used_memory(self.server())?))
    }

    async fn bare(&self) -> Result<BareHashes> {
        let client = Client::open(self.server().url())?;
        let connection = client.get_multiplexed_async_connection().await?;
        Ok(BareHashes { server: Arc::clone(self.server()), connection })
    }
}

impl RedisBackend {
    /// Deletes the keys that match a pattern.
    fn delete_keys(&self, pattern: &str) -> Result<()> {
        let script =
            "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end";
        self.server().run(&["EVAL", script, "0", pattern])?;
        Ok(())
    }
}

/// A plain hash for each token.
pub(super) struct BareHashes {
    server: Arc<Redis>,
    connection: MultiplexedConnection,
}

impl Bare for BareHashes {
    async fn fill(&self, tokens: &[StoredToken]) -> Result<()> {
        for some in tokens.chunks(AT_ONCE) {
            let mut batch = pipe();
            for token in some {
                batch.hset_multiple(key(token.record.id), &fields(token)).ignore();
            }
            let () = batch.query_async(&mut self.connection.clone()).await?;
        }
        Ok(())
    }

    async fn bytes(&self) -> Result<u64> {
        used_memory(&self.server)
    }

    async fn find(&self, id: TokenId) -> Result<bool> {
        let hash: Value = self.connection.clone().hgetall(key(id)).await?;
        let fields = hash.as_map_iter().map(Iterator::count);
        Ok(std::hint::black_box(fields).is_some_and(|fields| fields > 0))
    }

    async fn note_use(&self, id: TokenId) -> Result<()> {
        let now = Timestamp::now().as_millisecond();
        let () = self.connection.clone().hset(key(id), "last_used_at", now).await?;
        Ok(())
    }
}

fn key(id: TokenId) -> Vec<u8> {
    [b"bare:", &id.as_uuid().as_bytes()[..]].concat()
}

/// Returns the fields of a token, as bytes and decimal numbers.
fn fields(StoredToken { record, secrets }: &StoredToken) -> Vec<(&'static str, Vec<u8>)> {
    let millis = |time: Timestamp| time.as_millisecond().to_string().into_bytes();
    let mut fields = vec![
        ("owner", record.owner.as_str().into()),
        ("name", record.name.clone().into_bytes()),
        ("scopes", record.scopes.to_string().into_bytes()),
        ("created_at", millis(record.created_at)),
        ("revision", record.revision.get().to_string().into_bytes()),
        ("algorithm", secrets.current.algorithm().into()),
        ("digest", secrets.current.bytes().to_vec()),
    ];
    if !record.description.is_empty() {
        fields.push(("description", record.description.clone().into_bytes()));
    }
    let times = [
        ("expires_at", record.expires_at),
        ("last_used_at", record.last_used_at),
        ("revoked_at", record.revoked_at),
    ];
    fields.extend(times.into_iter().filter_map(|(name, time)| Some((name, millis(time?)))));
    fields
}

fn used_memory(server: &Redis) -> Result<u64> {
    let told = server.run(&["INFO", "memory"])?;
    let used = told.lines().find_map(|line| line.strip_prefix("used_memory:"));
    Ok(used.context("Redis did not report its memory usage")?.trim().parse()?)
}
