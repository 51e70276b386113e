//! Installs packages, or starts a server and prints its URL. The server stops when the standard
//! input or this process ends.

use std::io::Read;

use anyhow::{Result, bail};
use hallpass_servers::{Package, Postgres, Redis, RedisCluster};

fn main() -> Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("install") if std::env::args().nth(2).as_deref() == Some("valgrind") => {
            Package::VALGRIND.ensure_installed()?;
        }
        Some("install") => Package::ALL.into_iter().try_for_each(Package::ensure_installed)?,
        Some("postgres") => {
            Package::POSTGRES.ensure_installed()?;
            let server = Postgres::start()?;
            serve(server.url());
        }
        Some("redis") => {
            Package::REDIS.ensure_installed()?;
            let server = Redis::start()?;
            serve(server.url());
        }
        Some("redis-cluster") => {
            Package::REDIS.ensure_installed()?;
            let cluster = RedisCluster::start()?;
            serve(&cluster.urls().join("\n"));
        }
        _ => {
            bail!("expected `install`, `install valgrind`, `postgres`, `redis` or `redis-cluster`")
        }
    }
    Ok(())
}

fn serve(urls: &str) {
    println!("{urls}");
    let mut input = std::io::stdin().lock();
    while !matches!(input.read(&mut [0; 64]), Ok(0) | Err(_)) {}
}
