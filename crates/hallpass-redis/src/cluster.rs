//! Which node of a cluster has the keys.
//!
//! A namespace is in one slot, and so on one node: lines lead to that node directly, so that it is known of each change
//! whether it was sent and to whom, and nothing is sent twice by a library that means well.

use std::sync::{Mutex, PoisonError};

use redis::{Client, ConnectionAddr, ErrorKind, RedisError, Value};

use crate::line::Line;
use crate::target::open;

/// The nodes that are known, and the one that has the keys.
pub(crate) struct Cluster {
    seeds: Vec<Client>,
    clock: String,
    primary: Mutex<Option<Client>>,
}

impl Cluster {
    pub(crate) fn new(seeds: Vec<Client>, clock: String) -> Self {
        Self { seeds, clock, primary: Mutex::new(None) }
    }

    fn known(&self) -> Option<Client> {
        self.primary.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, primary: Option<Client>) {
        *self.primary.lock().unwrap_or_else(PoisonError::into_inner) = primary;
    }

    /// A line to the node that has the keys.
    pub(crate) async fn connect(&self) -> Result<Line, RedisError> {
        if let Some(primary) = self.known() {
            return open(&primary).await;
        }
        let mut why = RedisError::from((ErrorKind::InvalidClientConfig, "no node is given"));
        for seed in &self.seeds {
            match self.find(seed).await {
                Ok(primary) => {
                    let line = open(&primary).await;
                    if line.is_ok() {
                        self.learn(Some(primary));
                    }
                    return line;
                }
                Err(error) => why = error,
            }
        }
        Err(why)
    }

    /// Asks a node who has the keys.
    async fn find(&self, seed: &Client) -> Result<Client, RedisError> {
        let mut line = open(seed).await?;
        let slot = line.ask(redis::cmd("CLUSTER").arg("KEYSLOT").arg(&self.clock)).await?;
        let slot: u16 = redis::from_redis_value(slot)?;
        let ranges = line.ask(redis::cmd("CLUSTER").arg("SLOTS")).await?;
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
        Err(RedisError::from((ErrorKind::Client, "no node of the cluster has the slot")))
    }

    /// A node said that another one has the keys.
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

    /// The node is not what it was: the others are asked anew.
    pub(crate) fn doubt(&self) {
        self.learn(None);
    }
}

/// The node at that address, reached as the other one is. Without a host it is where the other one is.
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
