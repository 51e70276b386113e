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

/// How long opening a store may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A token store on Redis. Clones share its connections.
///
/// It is opened and used in a tokio runtime with I/O and time enabled. The documentation of the
/// [crate] says what it promises.
#[derive(Clone)]
pub struct RedisStore(pub(crate) Arc<Shared>);

/// What the clones of a store share.
pub(crate) struct Shared {
    pub(crate) namespace: Namespace,
    /// The key of the clock, from which each script derives the other keys.
    pub(crate) clock: String,
    pub(crate) replicas: u32,
    pub(crate) lookups: SharedConnection,
    pub(crate) changes: SharedConnection,
    /// Separate from lookups, so that a long list delays no check.
    pub(crate) lists: SharedConnection,
    pub(crate) listener: Listener,
    /// Where revoking everyone's tokens goes on, for the same `issued_before`.
    revoke_cursor: Mutex<RevokeCursor>,
}

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
    /// Returns [`ConnectError`] if the address is invalid, if the server cannot be reached within
    /// five seconds, is older than 7.0, is a replica or evicts keys when its memory is full, or if
    /// the namespace holds something else.
    pub async fn connect(address: &str) -> Result<Self, ConnectError> {
        Self::connect_with(address, RedisSettings::default()).await
    }

    /// Opens the store on the server at an address, with settings.
    ///
    /// # Errors
    ///
    /// Returns [`ConnectError`] like [`connect`](Self::connect).
    pub async fn connect_with(
        address: &str,
        settings: RedisSettings,
    ) -> Result<Self, ConnectError> {
        // The driver's error may repeat the address, which may contain a password.
        let client = Client::open(address).map_err(|_| ConnectError::Address)?;
        Self::with_client(&client, settings).await
    }

    /// Opens the store with a client of the host, for example one with certificates. The store
    /// makes its own connections from it and uses RESP3 on them.
    ///
    /// # Errors
    ///
    /// Returns [`ConnectError`] like [`connect`](Self::connect).
    pub async fn with_client(
        client: &Client,
        settings: RedisSettings,
    ) -> Result<Self, ConnectError> {
        let client = Target::server(client).map_err(|_| ConnectError::Address)?;
        let namespace = Namespace::new(&settings.namespace)?;
        Self::open(Target::Server(client), namespace, &settings).await
    }

    /// Opens the store on a connection of the host. The connection carries lists as well as
    /// lookups, and the store cannot block it to wait for changes: a cache polls for them four
    /// times a second.
    ///
    /// The manager's own timeouts apply in addition to the store's.
    ///
    /// # Errors
    ///
    /// Returns [`ConnectError`] like [`connect`](Self::connect).
    pub async fn with_manager(
        manager: ConnectionManager,
        settings: RedisSettings,
    ) -> Result<Self, ConnectError> {
        let namespace = Namespace::new(&settings.namespace)?;
        Self::open(Target::Host(manager), namespace, &settings).await
    }

    /// Opens the store on a Redis Cluster. At least one of the addresses must belong to a node that
    /// responds.
    ///
    /// # Errors
    ///
    /// Returns [`ConnectError`] like [`connect`](Self::connect).
    #[cfg(feature = "cluster")]
    pub async fn cluster(
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
        startup::check(&shared, settings, within(PATIENCE)).await?;
        Ok(Self(Arc::new(shared)))
    }

    /// Closes the connections, except a connection that the host provided. Clones are closed too:
    /// later calls return [`unavailable`](hallpass_core::store::StoreError::unavailable).
    pub fn close(&self) {
        for connection in [&self.0.lookups, &self.0.changes, &self.0.lists] {
            connection.close();
        }
        self.0.listener.close();
    }
}

/// Does not show the address, which may contain a password.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("namespace", &self.0.namespace.to_string())
            .finish_non_exhaustive()
    }
}
