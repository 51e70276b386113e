//! Each guard: what happens on a real server without it, and that it does not happen with it.

mod changes;
mod failover;
mod lookups;
mod opening;
mod unanswered;
mod uses;

use std::time::Duration;

use hallpass_servers::{Proxy, Redis};
use hallpass_testkit::conformance::samples::{at, edited, owner, token};

use crate::guards::{Guard, Guards};
use crate::{RedisSettings, RedisStore};

fn server() -> Redis {
    Redis::start().expect("a server")
}

fn settings(guards: Guards) -> RedisSettings {
    RedisSettings { guards, ..RedisSettings::default() }
}

async fn open(url: &str, guards: Guards) -> RedisStore {
    RedisStore::connect_with(url, settings(guards)).await.expect("the store opens")
}

/// A store that reaches its server by a network of the test's.
async fn by_way_of(server: &Redis, guards: Guards) -> (Proxy, RedisStore) {
    let network = Proxy::to(server.address()).expect("a network");
    let store = open(&network.url(server.url()), guards).await;
    (network, store)
}

/// Does something as a stranger who knows nothing of Hallpass. Answers what the server says.
fn run(server: &Redis, command: &[&str]) -> String {
    server.run(command).expect("the server answers")
}

/// How often the server has run that command.
fn calls(server: &Redis, command: &str) -> u64 {
    let stats = run(server, &["INFO", "commandstats"]);
    let name = format!("cmdstat_{command}:calls=");
    let line = stats.lines().find_map(|line| line.strip_prefix(&name));
    line.and_then(|line| line.split(',').next()?.parse().ok()).unwrap_or(0)
}

/// Waits until the server has run that command once more than so often.
async fn arrived(server: &Redis, command: &str, before: u64) {
    let arriving = async {
        while calls(server, command) == before {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), arriving).await.expect("it arrives");
}
