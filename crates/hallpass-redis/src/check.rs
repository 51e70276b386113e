//! What a server must be to be used.

use redis::{ErrorKind, ServerErrorKind, Value};
use tokio::time::Instant;

use crate::change::nonce;
use crate::guards::Guard;
use crate::open::ConnectError;
use crate::scripts;
use crate::settings::RedisSettings;
use crate::store::Shared;
use crate::trouble::{Failure, Trouble, trouble};

/// The version of what is stored. A later one that an older program cannot read has a larger number.
const VERSION: u32 = 1;

/// Refuses a server that would lose tokens, and a namespace that is not this version's; makes an empty one a store.
pub(crate) async fn server(
    shared: &Shared,
    settings: &RedisSettings,
    deadline: Instant,
) -> Result<(), ConnectError> {
    version(shared, deadline).await?;
    keeping(shared, settings, deadline).await?;
    namespace(shared, deadline).await
}

/// Scripts say since 7.0 what they do.
async fn version(shared: &Shared, deadline: Instant) -> Result<(), ConnectError> {
    let hello = shared.changes.ask_any(&redis::cmd("HELLO"), deadline).await.map_err(unusable)?;
    let found = setting(&hello, "version").unwrap_or_default();
    let major = found.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < 7) {
        return Err(ConnectError::Older { found });
    }
    Ok(())
}

/// A token that is thrown away is a user locked out; one that comes back, a revocation undone.
async fn keeping(
    shared: &Shared,
    settings: &RedisSettings,
    deadline: Instant,
) -> Result<(), ConnectError> {
    let mut ask = redis::cmd("CONFIG");
    ask.arg("GET").arg("maxmemory").arg("maxmemory-policy").arg("appendonly");
    let config = match shared.changes.ask_any(&ask, deadline).await {
        Ok(config) => config,
        Err(Failure::Refused(error)) => {
            tracing::warn!(
                target: "hallpass",
                %error,
                "Redis does not say how it is configured: see that `maxmemory-policy` is `noeviction` and that it \
                 keeps an append-only file"
            );
            return Ok(());
        }
        Err(failure) => return Err(unusable(failure)),
    };
    let policy = setting(&config, "maxmemory-policy").unwrap_or_default();
    let is_bounded = setting(&config, "maxmemory").is_some_and(|bytes| bytes != "0");
    if is_bounded && policy != "noeviction" && shared.guards.has(Guard::KeepsAll) {
        return Err(ConnectError::Evicts { policy });
    }
    let keeps = setting(&config, "appendonly").is_some_and(|value| value == "yes");
    if !keeps && !settings.accept_no_persistence {
        tracing::warn!(
            target: "hallpass",
            "Redis keeps no append-only file: a restart of it forgets the latest changes, revocations among them. Set \
             `appendonly` to `yes`"
        );
    }
    Ok(())
}

async fn namespace(shared: &Shared, deadline: Instant) -> Result<(), ConnectError> {
    let nonce = nonce().map_err(ConnectError::unreachable)?;
    let known = VERSION.to_string();
    let arguments = [nonce.as_bytes(), known.as_bytes()];
    let opened = shared.changes.run(&scripts::OPEN, &shared.clock, &arguments, deadline).await;
    let namespace = || shared.namespace.to_string();
    let answer = match opened {
        Ok(answer) => answer,
        Err(Failure::Refused(error)) if trouble(&error) == Some(Trouble::Corrupt) => {
            return Err(ConnectError::Foreign { namespace: namespace() });
        }
        Err(failure) => return Err(unusable(failure)),
    };
    let words: Vec<String> = redis::from_redis_value(answer).map_err(ConnectError::unreachable)?;
    match words.first().map_or("", String::as_str) {
        "done" => Ok(()),
        "newer" => Err(ConnectError::Newer {
            namespace: namespace(),
            found: words.get(1).and_then(|found| found.parse().ok()).unwrap_or(u32::MAX),
            known: VERSION,
        }),
        "damaged" => Err(ConnectError::Damaged { namespace: namespace() }),
        _ => Err(ConnectError::Foreign { namespace: namespace() }),
    }
}

fn unusable(failure: Failure) -> ConnectError {
    match failure {
        Failure::Refused(error) if error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly) => {
            ConnectError::Replica
        }
        Failure::Refused(error) => ConnectError::unreachable(error),
        Failure::Unasked(error) | Failure::Unanswered(error) => ConnectError::unreachable(error),
    }
}

/// The value of a name in an answer of names and values.
fn setting(answer: &Value, name: &str) -> Option<String> {
    let is_it =
        |key: &Value| redis::from_redis_value_ref::<String>(key).is_ok_and(|key| key == name);
    let value = match answer {
        Value::Map(pairs) => pairs.iter().find_map(|(key, value)| is_it(key).then_some(value)),
        Value::Array(parts) => {
            parts.chunks_exact(2).find_map(|pair| is_it(&pair[0]).then_some(&pair[1]))
        }
        _ => None,
    };
    redis::from_redis_value_ref(value?).ok()
}
