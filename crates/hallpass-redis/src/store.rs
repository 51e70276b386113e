//! [`RedisStore`], and how it is opened and closed.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use redis::Client;
use redis::aio::ConnectionManager;

use crate::connect_error::ConnectError;
use crate::connection::{SharedConnection, within};
use crate::listener::Listener;
use crate::settings::{Namespace, RedisSettings};
use crate::startup;
use crate::target::Target;

/// The maximum duration of opening a store.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A token store on Redis. Clones share its connections.
///
/// It needs a tokio runtime with I/O and time enabled. The [crate] describes its guarantees.
#[derive(Clone)]
pub struct RedisStore(pub(crate) Arc<Shared>);

/// The state that the clones of a store share.
pub(crate) struct Shared {
    pub(crate) namespace: Namespace,
    /// The key of the clock, from which each script derives the other keys.
    pub(crate) clock: String,
    pub(crate) replicas: u32,
    pub(crate) lookups: SharedConnection,
    pub(crate) changes: SharedConnection,
    /// The connection for lists. It is separate, so that a long list does not delay checks.
    pub(crate) lists: SharedConnection,
    pub(crate) listener: Listener,
    /// The position at which the next call of `revoke_everyone` continues.
    revoke_cursor: Mutex<RevokeCursor>,
}

/// A position, and the value of `issued_before` for which it is valid.
type RevokeCursor = Option<(Option<Timestamp>, Vec<u8>)>;

impl Shared {
    pub(crate) fn revoke_cursor(&self) -> MutexGuard<'_, RevokeCursor> {
        self.revoke_cursor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RedisStore {
    /// Opens the store on the server at an address such as `redis://127.0.0.1:6379` or
    /// `redis://user:password@host:6379/0`, with the default settings.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), hallpass_redis::ConnectError> {
    /// let store = hallpass_redis::RedisStore::connect("redis://127.0.0.1:6379").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`ConnectError::Address`] or [`ConnectError::Namespace`] if the address or the namespace
    ///   is invalid
    /// - [`ConnectError::Unreachable`] if the server cannot be reached within five seconds
    /// - [`ConnectError::Replica`], [`ConnectError::Older`] or [`ConnectError::Evicts`] if the
    ///   server is a replica, is older than 7.0, or evicts keys if its memory is full
    /// - [`ConnectError::Foreign`], [`ConnectError::Newer`] or [`ConnectError::Damaged`] if the
    ///   keys of the namespace cannot be used
    pub async fn connect(address: &str) -> Result<Self, ConnectError> {
        Self::connect_with(address, RedisSettings::default()).await
    }

    /// Opens the store on the server at an address, with settings.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`connect`](Self::connect).
    pub async fn connect_with(
        address: &str,
        settings: RedisSettings,
    ) -> Result<Self, ConnectError> {
        // The driver's error may repeat the address, which may contain a password.
        let client = Client::open(address).map_err(|_| ConnectError::Address)?;
        Self::from_client_with(&client, settings).await
    }

    /// Opens the store with a client of the host, for example one with TLS certificates, and with
    /// the default settings. The store makes its own connections with the client, and uses RESP3.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`connect`](Self::connect).
    pub async fn from_client(client: &Client) -> Result<Self, ConnectError> {
        Self::from_client_with(client, RedisSettings::default()).await
    }

    /// Opens the store with a client of the host, as [`from_client`](Self::from_client) does, with
    /// settings.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`connect`](Self::connect).
    pub async fn from_client_with(
        client: &Client,
        settings: RedisSettings,
    ) -> Result<Self, ConnectError> {
        let client = Target::server(client).map_err(|_| ConnectError::Address)?;
        let namespace = Namespace::new(&settings.namespace)?;
        Self::open(Target::Server(Box::new(client)), namespace, &settings).await
    }

    /// Opens the store on a connection of the host, with the default settings.
    ///
    /// Lists and lookups then share the connection. The store cannot block it to wait for changes,
    /// so it polls for changes four times a second. The manager's own timeouts apply in addition to
    /// those of the store.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`connect`](Self::connect).
    pub async fn from_manager(manager: ConnectionManager) -> Result<Self, ConnectError> {
        Self::from_manager_with(manager, RedisSettings::default()).await
    }

    /// Opens the store on a connection of the host, as [`from_manager`](Self::from_manager) does,
    /// with settings.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`connect`](Self::connect).
    pub async fn from_manager_with(
        manager: ConnectionManager,
        settings: RedisSettings,
    ) -> Result<Self, ConnectError> {
        let namespace = Namespace::new(&settings.namespace)?;
        Self::open(Target::Host(manager), namespace, &settings).await
    }

    /// Opens the store on a Redis Cluster, with the default settings. At least one of the addresses
    /// must belong to a node that responds.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`connect`](Self::connect).
    #[cfg(feature = "cluster")]
    pub async fn connect_cluster(
        addresses: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, ConnectError> {
        Self::connect_cluster_with(addresses, RedisSettings::default()).await
    }

    /// Opens the store on a Redis Cluster, as [`connect_cluster`](Self::connect_cluster) does, with
    /// settings.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`connect`](Self::connect).
    #[cfg(feature = "cluster")]
    pub async fn connect_cluster_with(
        addresses: impl IntoIterator<Item = impl AsRef<str>>,
        settings: RedisSettings,
    ) -> Result<Self, ConnectError> {
        let namespace = Namespace::new(&settings.namespace)?;
        let seeds = addresses.into_iter().map(|address| {
            Client::open(address.as_ref()).and_then(|client| Target::server(&client))
        });
        let seeds: Vec<_> = seeds.collect::<Result<_, _>>().map_err(|_| ConnectError::Address)?;
        let cluster = crate::cluster::Cluster::new(seeds, namespace.clock());
        Self::open(Target::Cluster(Arc::new(cluster)), namespace, &settings).await
    }

    /// Opens the store on a target, after checking the server.
    async fn open(
        target: Target,
        namespace: Namespace,
        settings: &RedisSettings,
    ) -> Result<Self, ConnectError> {
        let connection = || SharedConnection::new(target.clone());
        let shared = Shared {
            clock: namespace.clock(),
            replicas: settings.replicas,
            lookups: connection(),
            changes: connection(),
            lists: connection(),
            listener: Listener::new(target.clone(), &namespace),
            revoke_cursor: Mutex::default(),
            namespace,
        };
        startup::check(&shared, settings, within(TIMEOUT)).await?;
        Ok(Self(Arc::new(shared)))
    }

    /// Closes the connections, except for a connection that the host has provided. The clones are
    /// closed as well: later calls return
    /// [`unavailable`](hallpass_core::store::StoreError::unavailable).
    pub fn close(&self) {
        for connection in [&self.0.lookups, &self.0.changes, &self.0.lists] {
            connection.close();
        }
        self.0.listener.close();
    }
}

/// Shows the namespace, but not the address, which may contain a password.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("namespace", &self.0.namespace.to_string())
            .finish_non_exhaustive()
    }
}
