//! The server or cluster that connections lead to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::ConnectionManager;
use redis::{AsyncConnectionConfig, Client, ProtocolVersion, PushInfo, PushKind, RedisError};

use crate::connect_error::ServerAddress;
use crate::connection::{Connection, Transport};

/// The maximum duration of connecting.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The target of connections.
#[derive(Clone)]
pub(crate) enum Target {
    /// One server.
    Server(Box<Client>),
    /// A connection of the host, which reconnects by itself.
    Host(ConnectionManager),
    /// The node of a cluster that holds the namespace.
    #[cfg(feature = "cluster")]
    Cluster(Arc<crate::cluster::Cluster>),
}

impl Target {
    /// Prepares a client. Its address may contain a password, so it is never shown.
    pub(crate) fn server(client: &Client) -> Result<Client, RedisError> {
        let known = client.get_connection_info().clone();
        // Only RESP3 reports that a connection has ended, so that nothing is sent on it any more.
        // The name of the driver is not sent, because that needs another permission.
        let settings = known.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let settings = settings.set_skip_set_lib_name();
        Client::open(known.set_redis_settings(settings))
    }

    /// Makes a connection, or clones the connection of the host.
    pub(crate) async fn connect(&self) -> Result<Connection, RedisError> {
        match self {
            Self::Server(client) => open(client).await,
            Self::Host(manager) => {
                Ok(Connection::new(Transport::Host(manager.clone()), Arc::default()))
            }
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => cluster.connect().await,
        }
    }

    /// Returns the address for error messages.
    pub(crate) fn address(&self) -> ServerAddress {
        match self {
            Self::Server(client) => ServerAddress::server(client.get_connection_info()),
            Self::Host(_) => ServerAddress::host(),
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => cluster.address(),
        }
    }

    /// Returns whether the store makes its own connections, which it may block.
    pub(crate) fn has_own_connections(&self) -> bool {
        !matches!(self, Self::Host(_))
    }

    /// Reads from a redirect which node holds the keys. Returns `false` if the redirect does not
    /// name one.
    pub(crate) fn moved(&self, error: &RedisError) -> bool {
        match self {
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => cluster.moved(error),
            _ => {
                let _ = error;
                false
            }
        }
    }

    /// Discards the node that was found, because it is no primary or cannot be reached.
    pub(crate) fn forget_primary(&self) {
        #[cfg(feature = "cluster")]
        if let Self::Cluster(cluster) = self {
            cluster.forget_primary();
        }
    }
}

/// Connects within a second.
pub(crate) async fn open(client: &Client) -> Result<Connection, RedisError> {
    let is_disconnected = Arc::new(AtomicBool::new(false));
    let set_disconnected = Arc::clone(&is_disconnected);
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(TIMEOUT))
        // Each call has its own deadline.
        .set_response_timeout(None)
        .set_push_sender(move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                set_disconnected.store(true, Ordering::Release);
            }
            Ok::<(), redis::aio::SendError>(())
        });
    let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    Ok(Connection::new(Transport::Own(connection), is_disconnected))
}
