use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{PATIENCE, Redis, info};

/// How many slots the keys of a cluster are spread over.
const SLOTS: usize = 16_384;

/// How long a node may be silent until the others take it for dead, in milliseconds.
const SILENCE: &str = "1000";

/// A Redis Cluster of three primaries of one's own, empty.
#[derive(Debug)]
pub struct RedisCluster {
    primaries: Vec<Redis>,
    replicas: Vec<Redis>,
}

impl RedisCluster {
    /// Starts a cluster, and waits until it takes commands.
    ///
    /// # Errors
    ///
    /// A server does not start, or they do not find together.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// The same with further options for each of its servers, as of [`Redis::start_with`].
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_with(options: &[&str]) -> Result<Self> {
        let mut cluster = Self { primaries: Vec::new(), replicas: Vec::new() };
        for number in 0..3 {
            let node = node(options)?;
            let (first, end) = (number * SLOTS / 3, (number + 1) * SLOTS / 3);
            node.run(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &(end - 1).to_string()])?;
            // Else all begin with the same, and quarrel first.
            node.run(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()])?;
            cluster.primaries.push(node);
            cluster.introduce(&cluster.primaries[number])?;
        }
        cluster.wait_until_ready()?;
        Ok(cluster)
    }

    /// Adds a replica of one of the primaries, which takes its place a second or two after it is
    /// gone.
    ///
    /// # Errors
    ///
    /// It does not start, or does not follow.
    pub fn add_replica(&mut self, of: usize) -> Result<()> {
        let replica = node(&[])?;
        self.introduce(&replica)?;
        let primary = self.primaries[of].run(&["CLUSTER", "MYID"])?;
        // It has to hear of it first.
        until("the replica follows", || {
            Ok(replica.run(&["CLUSTER", "REPLICATE", &primary]).is_ok())
        })?;
        self.primaries[of].wait_for(&replica)?;
        self.replicas.push(replica);
        self.wait_until_ready()
    }

    fn introduce(&self, node: &Redis) -> Result<()> {
        node.run(&["CLUSTER", "MEET", "127.0.0.1", &self.primaries[0].port.to_string()]).map(drop)
    }

    /// Waits until every node knows all others and takes commands.
    ///
    /// # Errors
    ///
    /// That is not so within half a minute.
    pub fn wait_until_ready(&self) -> Result<()> {
        let nodes = self.primaries.len() + self.replicas.len();
        for node in self.nodes() {
            until("the cluster is ready", || {
                let said = node.run(&["CLUSTER", "INFO"])?;
                Ok(info(&said, "cluster_state")? == "ok"
                    && info(&said, "cluster_known_nodes")?.parse::<usize>()? == nodes)
            })?;
        }
        Ok(())
    }

    /// The URLs of the primaries that it began with.
    #[must_use]
    pub fn urls(&self) -> Vec<&str> {
        self.primaries.iter().map(Redis::url).collect()
    }

    /// The primaries that it began with. Each has a third of the slots, in order.
    #[must_use]
    pub fn primaries(&self) -> &[Redis] {
        &self.primaries
    }

    /// The replicas, in the order in which they were added.
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
        ensure!(started.elapsed() < PATIENCE, "it never was so that {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
