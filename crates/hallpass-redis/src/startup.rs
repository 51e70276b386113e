//! Checks of a server when a store is opened.

use std::collections::HashMap;
use std::error::Error as StdError;

use redis::{ErrorKind, ServerErrorKind, Value};
use tokio::time::Instant;

use crate::change::nonce;
use crate::connect_error::{ConnectError, ServerAddress};
use crate::connection::Call;
use crate::error_class::{ErrorClass, Failure, error_class};
use crate::scripts;
use crate::settings::RedisSettings;
use crate::store::Shared;

/// The version of the stored format. It increases if older programs cannot read the new format.
const VERSION: u32 = 1;

/// Checks that the server does not lose tokens, and that the namespace belongs to this version of
/// Hallpass. Prepares an empty namespace.
pub(crate) async fn check(
    shared: &Shared,
    settings: &RedisSettings,
    deadline: Instant,
) -> Result<(), ConnectError> {
    version(shared, deadline).await?;
    persistence(shared, settings, deadline).await?;
    namespace(shared, settings, deadline).await
}

/// Checks the server's version. Redis 7.0 introduced the flags that the scripts declare.
async fn version(shared: &Shared, deadline: Instant) -> Result<(), ConnectError> {
    let hello = shared
        .changes
        .run(&Call::command(redis::cmd("HELLO")), deadline)
        .await
        .map_err(|failure| unusable(shared, failure))?;
    let version = setting(&hello, "version").unwrap_or_default();
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < 7) {
        return Err(ConnectError::Older { server: server(shared), found: version });
    }
    Ok(())
}

/// Checks that the server evicts no keys and persists changes. If it evicted a token, the token
/// would stop working. If it lost its last changes, revoked tokens would be valid again.
async fn persistence(
    shared: &Shared,
    settings: &RedisSettings,
    deadline: Instant,
) -> Result<(), ConnectError> {
    let mut get = redis::cmd("CONFIG");
    get.arg("GET").arg("maxmemory").arg("maxmemory-policy").arg("appendonly");
    let config = match shared.changes.run(&Call::command(get), deadline).await {
        Ok(config) => config,
        Err(Failure::Rejected(error)) => {
            tracing::warn!(
                target: "hallpass",
                %error,
                server = %server(shared),
                "cannot read the configuration of Redis: make sure that `maxmemory-policy` is `noeviction` \
                 and `appendonly` is `yes`"
            );
            return Ok(());
        }
        Err(failure) => return Err(unusable(shared, failure)),
    };
    let policy = setting(&config, "maxmemory-policy").unwrap_or_default();
    let is_bounded = setting(&config, "maxmemory").is_some_and(|bytes| bytes != "0");
    if is_bounded && policy != "noeviction" {
        return Err(ConnectError::Evicts { server: server(shared), policy });
    }
    let is_persistent = setting(&config, "appendonly").is_some_and(|value| value == "yes");
    if !is_persistent && !settings.accept_no_persistence {
        tracing::warn!(
            target: "hallpass",
            server = %server(shared),
            "Redis writes no append-only file, so a restart loses the latest changes, including \
             revocations: set `appendonly` to `yes`"
        );
    }
    Ok(())
}

/// Checks that the namespace belongs to this version of Hallpass, or prepares it if it is empty and
/// the settings allow it.
async fn namespace(
    shared: &Shared,
    settings: &RedisSettings,
    deadline: Instant,
) -> Result<(), ConnectError> {
    let server = || server(shared);
    let nonce = nonce().map_err(|source| unreachable(shared, source))?;
    let known = VERSION.to_string();
    let may_create = if settings.migrate { "1" } else { "0" };
    let call = Call::script(&scripts::OPEN, &shared.clock).arg(nonce).arg(known).arg(may_create);
    let opened = shared.changes.run(&call, deadline).await;
    let namespace = || shared.namespace.to_string();
    let reply = match opened {
        Ok(reply) => reply,
        Err(Failure::Rejected(error)) if error_class(&error) == Some(ErrorClass::Corrupt) => {
            return Err(ConnectError::Foreign { server: server(), namespace: namespace() });
        }
        Err(failure) => return Err(unusable(shared, failure)),
    };
    let words = redis::from_redis_value(reply);
    let words: Vec<String> = words.map_err(|source| unreachable(shared, source))?;
    match words.first().map_or("", String::as_str) {
        "done" => Ok(()),
        "newer" => Err(ConnectError::Newer {
            server: server(),
            namespace: namespace(),
            found: words.get(1).and_then(|found| found.parse().ok()).unwrap_or(u32::MAX),
            known: VERSION,
        }),
        "missing" => Err(ConnectError::Missing { server: server(), namespace: namespace() }),
        "damaged" => Err(ConnectError::Damaged { server: server(), namespace: namespace() }),
        _ => Err(ConnectError::Foreign { server: server(), namespace: namespace() }),
    }
}

/// Converts the failure of a check.
fn unusable(shared: &Shared, failure: Failure) -> ConnectError {
    match failure {
        Failure::Rejected(error)
            if error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly) =>
        {
            ConnectError::Replica { server: server(shared) }
        }
        Failure::Rejected(error) => unreachable(shared, error),
        Failure::NotSent(error) | Failure::NoReply(error) => unreachable(shared, error),
    }
}

fn unreachable(
    shared: &Shared,
    source: impl Into<Box<dyn StdError + Send + Sync>>,
) -> ConnectError {
    ConnectError::Unreachable { server: server(shared), source: source.into() }
}

/// Returns the server that was opened, for an error.
fn server(shared: &Shared) -> ServerAddress {
    shared.changes.target().address()
}

/// Returns the value for a name in a reply of names and values.
fn setting(reply: &Value, name: &str) -> Option<String> {
    let mut settings: HashMap<String, Value> = redis::from_redis_value_ref(reply).ok()?;
    redis::from_redis_value(settings.remove(name)?).ok()
}
