//! Where the server is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::ConnectionManager;
use redis::{AsyncConnectionConfig, Client, ProtocolVersion, PushInfo, PushKind, RedisError};

use crate::line::{Line, Wire};

/// How long it may take to connect.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where lines to the server lead.
#[derive(Clone)]
pub(crate) enum Target {
    /// One server.
    Server(Client),
    /// A connection of the host's, which looks after itself.
    Hosts(ConnectionManager),
    /// The node of a cluster that has the namespace.
    #[cfg(feature = "cluster")]
    Cluster(Arc<crate::cluster::Cluster>),
}

impl Target {
    /// A server by its address, which may hold a password.
    pub(crate) fn server(client: &Client) -> Result<Client, RedisError> {
        let known = client.get_connection_info().clone();
        // Only RESP3 says when a connection has ended, so that nothing is sent into one that has. The name of the
        // driver is not told: that takes a permission.
        let settings = known.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let settings = settings.set_skip_set_lib_name();
        Client::open(known.set_redis_settings(settings))
    }

    /// A line of one's own if possible.
    pub(crate) async fn connect(&self) -> Result<Line, RedisError> {
        match self {
            Self::Server(client) => open(client).await,
            Self::Hosts(manager) => Ok(Line::new(Wire::Hosts(manager.clone()))),
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => cluster.connect().await,
        }
    }

    /// Whether a line may be kept busy for long.
    pub(crate) fn has_own_lines(&self) -> bool {
        !matches!(self, Self::Hosts(_))
    }

    /// The keys are somewhere else.
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

    /// The server is no primary, or cannot be reached.
    pub(crate) fn doubt(&self) {
        #[cfg(feature = "cluster")]
        if let Self::Cluster(cluster) = self {
            cluster.doubt();
        }
    }
}

/// Connects, within a second.
pub(crate) async fn open(client: &Client) -> Result<Line, RedisError> {
    let ended = Arc::new(AtomicBool::new(false));
    let note = Arc::clone(&ended);
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        // Each call has a deadline of its own.
        .set_response_timeout(None)
        .set_push_sender(move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                note.store(true, Ordering::Release);
            }
            Ok::<(), redis::aio::SendError>(())
        });
    let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    Ok(Line::watched(Wire::Own(connection), ended))
}
