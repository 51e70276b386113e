use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{PATIENCE, Redis, info};

/// The number of hash slots in a cluster.
const SLOTS: usize = 16_384;

/// The time after which the other nodes consider a silent node as failed, in milliseconds.
const SILENCE: &str = "1000";

/// A private, empty Redis Cluster of three primaries.
#[derive(Debug)]
pub struct RedisCluster {
    primaries: Vec<Redis>,
    replicas: Vec<Redis>,
}

impl RedisCluster {
    /// Starts a cluster and waits until it accepts commands.
    ///
    /// # Errors
    ///
    /// Returns an error if a node does not start or the cluster does not become ready.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// Starts a cluster with further arguments for each node, as in [`Redis::start_with`].
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`start`](Self::start).
    pub fn start_with(options: &[&str]) -> Result<Self> {
        let mut cluster = Self { primaries: Vec::new(), replicas: Vec::new() };
        for number in 0..3 {
            let node = node(options)?;
            let (first, end) = (number * SLOTS / 3, (number + 1) * SLOTS / 3);
            node.run(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &(end - 1).to_string()])?;
            // Nodes that start with the same epoch have to resolve the conflict first.
            node.run(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()])?;
            cluster.primaries.push(node);
            cluster.introduce(&cluster.primaries[number])?;
        }
        cluster.wait_until_ready()?;
        Ok(cluster)
    }

    /// Adds a replica of the primary with index `of`. If the primary fails, the replica is promoted
    /// within one or two seconds.
    ///
    /// # Errors
    ///
    /// Returns an error if the replica does not start or does not replicate.
    pub fn add_replica(&mut self, of: usize) -> Result<()> {
        let replica = node(&[])?;
        self.introduce(&replica)?;
        let primary = self.primaries[of].run(&["CLUSTER", "MYID"])?;
        // The command fails until the new node has found the primary.
        until("the replica replicates", || {
            Ok(replica.run(&["CLUSTER", "REPLICATE", &primary]).is_ok())
        })?;
        self.primaries[of].wait_for(&replica)?;
        self.replicas.push(replica);
        self.wait_until_ready()
    }

    fn introduce(&self, node: &Redis) -> Result<()> {
        node.run(&["CLUSTER", "MEET", "127.0.0.1", &self.primaries[0].port.to_string()]).map(drop)
    }

    /// Waits until every node is connected to all others and accepts commands.
    ///
    /// # Errors
    ///
    /// Returns an error if a node is not ready within 30 seconds.
    pub fn wait_until_ready(&self) -> Result<()> {
        let nodes = self.primaries.len() + self.replicas.len();
        for node in self.nodes() {
            until("the cluster is ready", || {
                let state = node.run(&["CLUSTER", "INFO"])?;
                Ok(info(&state, "cluster_state")? == "ok"
                    && info(&state, "cluster_known_nodes")?.parse::<usize>()? == nodes)
            })?;
        }
        Ok(())
    }

    /// Returns the URLs of the nodes that started as primaries.
    #[must_use]
    pub fn urls(&self) -> Vec<&str> {
        self.primaries.iter().map(Redis::url).collect()
    }

    /// Returns the nodes that started as primaries. Each owns a third of the slots, in order.
    #[must_use]
    pub fn primaries(&self) -> &[Redis] {
        &self.primaries
    }

    /// Returns the replicas, in the order in which they were added.
    #[must_use]
    pub fn replicas(&self) -> &[Redis] {
        &self.replicas
    }

    fn nodes(&self) -> impl Iterator<Item = &Redis> {
        self.primaries.iter().chain(&self.replicas)
    }
}

fn node(options: &[&str]) -> Result<Redis> {
    let cluster = ["--cluster-enabled", "yes", "--cluster-node-timeout", SILENCE];
    Redis::start_with(&[&cluster, options].concat())
}

fn until(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let started = Instant::now();
    while !is_so()? {
        ensure!(started.elapsed() < PATIENCE, "timed out waiting until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
