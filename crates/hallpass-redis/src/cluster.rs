//! Finds the node of a cluster that holds the keys.
//!
//! All keys of a namespace are in one slot, and so on one node. The store connects to that node
//! directly and does not use the cluster client of the driver. So it is certain whether a change
//! was sent, and no change is sent twice.

use std::sync::{Mutex, PoisonError};

use redis::{Client, ConnectionAddr, ErrorKind, RedisError, Value};

use crate::connect_error::ServerAddress;
use crate::connection::Connection;
use crate::target::open;

/// The known nodes of a cluster, and the node that holds the keys.
pub(crate) struct Cluster {
    seeds: Vec<Client>,
    clock: String,
    primary: Mutex<Option<Client>>,
}

impl Cluster {
    pub(crate) fn new(seeds: Vec<Client>, clock: String) -> Self {
        Self { seeds, clock, primary: Mutex::new(None) }
    }

    /// Returns the addresses of the nodes that the host has named.
    pub(crate) fn address(&self) -> ServerAddress {
        ServerAddress::cluster(self.seeds.iter().map(Client::get_connection_info))
    }

    fn known(&self) -> Option<Client> {
        self.primary.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, primary: Option<Client>) {
        *self.primary.lock().unwrap_or_else(PoisonError::into_inner) = primary;
    }

    /// Connects to the node that holds the keys.
    pub(crate) async fn connect(&self) -> Result<Connection, RedisError> {
        if let Some(primary) = self.known() {
            return open(&primary).await;
        }
        let mut why =
            RedisError::from((ErrorKind::InvalidClientConfig, "the list of nodes is empty"));
        for seed in &self.seeds {
            match self.find(seed).await {
                Ok(primary) => {
                    let connection = open(&primary).await;
                    if connection.is_ok() {
                        self.learn(Some(primary));
                    }
                    return connection;
                }
                Err(error) => why = error,
            }
        }
        Err(why)
    }

    /// Queries a node for the node that holds the keys.
    async fn find(&self, seed: &Client) -> Result<Client, RedisError> {
        let mut connection = open(seed).await?;
        let slot = connection.send(redis::cmd("CLUSTER").arg("KEYSLOT").arg(&self.clock)).await?;
        let slot: u16 = redis::from_redis_value(slot)?;
        let ranges = connection.send(redis::cmd("CLUSTER").arg("SLOTS")).await?;
        let ranges: Vec<Vec<Value>> = redis::from_redis_value(ranges)?;
        for range in ranges {
            let mut parts = range.into_iter();
            let (Some(first), Some(last), Some(primary)) =
                (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            let first: u16 = redis::from_redis_value(first)?;
            let last: u16 = redis::from_redis_value(last)?;
            if (first..=last).contains(&slot) {
                let Value::Array(node) = primary else { continue };
                let [host, port, ..] = &node[..] else { continue };
                let host: Option<String> = redis::from_redis_value_ref(host)?;
                return at(
                    seed,
                    host.as_deref().unwrap_or_default(),
                    redis::from_redis_value_ref(port)?,
                );
            }
        }
        Err(RedisError::from((
            ErrorKind::Client,
            "no node of the cluster owns the slot of the namespace",
        )))
    }

    /// Reads from a redirect which node holds the keys. Returns `false` if the redirect does not
    /// name one.
    pub(crate) fn moved(&self, error: &RedisError) -> bool {
        let there = error.redirect_node().and_then(|(address, _)| {
            let (host, port) = address.rsplit_once(':')?;
            let seed = self.known().or_else(|| self.seeds.first().cloned())?;
            at(&seed, host, port.parse().ok()?).ok()
        });
        let is_known = there.is_some();
        self.learn(there);
        is_known
    }

    /// Discards the node that was found, so that the nodes are queried again.
    pub(crate) fn forget_primary(&self) {
        self.learn(None);
    }
}

/// Creates a client for the node at an address, with the settings of another client. If `host` is
/// empty, the node is on the same host as the other one.
fn at(like: &Client, host: &str, port: u16) -> Result<Client, RedisError> {
    let known = like.get_connection_info().clone();
    let address = match known.addr() {
        ConnectionAddr::TcpTls { host: same, insecure, tls_params, .. } => ConnectionAddr::TcpTls {
            host: if host.is_empty() { same.clone() } else { host.to_owned() },
            port,
            insecure: *insecure,
            tls_params: tls_params.clone(),
        },
        ConnectionAddr::Tcp(same, _) if host.is_empty() => ConnectionAddr::Tcp(same.clone(), port),
        _ => ConnectionAddr::Tcp(host.to_owned(), port),
    };
    Client::open(known.set_addr(address))
}
