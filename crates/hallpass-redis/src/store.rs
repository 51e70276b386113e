use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::Client;
use redis::aio::ConnectionManager;

use crate::check;
use crate::guards::Guards;
use crate::line::{Link, within};
use crate::nudge::Listener;
use crate::open::ConnectError;
use crate::settings::{Namespace, RedisSettings};
use crate::target::Target;

/// How long opening may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tokens in Redis. Clones share its connections.
///
/// Opened and used in a tokio runtime with I/O and time enabled. See the [crate] for what it promises.
#[derive(Clone)]
pub struct RedisStore(pub(crate) Arc<Shared>);

/// What the clones of a store share.
pub(crate) struct Shared {
    pub(crate) namespace: Namespace,
    /// The key of the clock, which each script is given.
    pub(crate) clock: String,
    pub(crate) replicas: u32,
    pub(crate) lookups: Link,
    pub(crate) changes: Link,
    /// Apart from look-ups, so that a long list keeps no check waiting.
    pub(crate) lists: Link,
    pub(crate) listener: Listener,
    pub(crate) guards: Guards,
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
    /// [`ConnectError`]: the address is none, the server cannot be reached within five seconds, is older than 7.0, is a replica, or
    /// would throw tokens away when its memory is full; or the namespace is not this version's.
    pub async fn connect(address: &str) -> Result<Self, ConnectError> {
        Self::connect_with(address, RedisSettings::default()).await
    }

    /// Opens the store on the server at that address.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub async fn connect_with(
        address: &str,
        settings: RedisSettings,
    ) -> Result<Self, ConnectError> {
        // What the driver says of an address may repeat it, and it may hold a password.
        let client = Client::open(address).map_err(|_| ConnectError::Address)?;
        Self::with_client(&client, settings).await
    }

    /// Opens the store on the server of a client of the host's: with its certificates, say. The store makes
    /// connections of its own from it, and uses RESP3 on them.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub async fn with_client(
        client: &Client,
        settings: RedisSettings,
    ) -> Result<Self, ConnectError> {
        let client = Target::server(client).map_err(|_| ConnectError::Address)?;
        let namespace = Namespace::new(&settings.namespace)?;
        Self::open(Target::Server(client), namespace, &settings).await
    }

    /// Opens the store on a connection of the host's. It carries everything, lists as well as look-ups, and there
    /// is none to wait for changes on: a cache looks for them four times a second.
    ///
    /// The manager's own timeouts apply besides the store's.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub async fn with_manager(
        manager: ConnectionManager,
        settings: RedisSettings,
    ) -> Result<Self, ConnectError> {
        let namespace = Namespace::new(&settings.namespace)?;
        Self::open(Target::Hosts(manager), namespace, &settings).await
    }

    /// Opens the store on a Redis Cluster, of which at least one of these nodes answers.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
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
        let link = || Link::new(target.clone(), settings.guards);
        let shared = Shared {
            clock: namespace.clock(),
            replicas: settings.replicas,
            lookups: link(),
            changes: link(),
            lists: link(),
            listener: Listener::new(target.clone(), &namespace),
            guards: settings.guards,
            namespace,
        };
        check::server(&shared, settings, within(PATIENCE)).await?;
        Ok(Self(Arc::new(shared)))
    }

    /// Closes the connections, but for one of the host's. Clones are closed too: what is asked of them later is unavailable.
    pub fn close(&self) {
        for link in [&self.0.lookups, &self.0.changes, &self.0.lists] {
            link.close();
        }
        self.0.listener.close();
    }
}

/// The address stays unsaid: it may hold a password.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("namespace", &self.0.namespace.to_string())
            .finish_non_exhaustive()
    }
}
