//! Installs packages, or starts a server and prints its URL. The server stops when the standard
//! input or this process ends. If there is no standard input, it stops with this process.

use std::fs;
use std::io::{IsTerminal, Read, stdin};
use std::os::unix::fs::FileTypeExt;

use anyhow::{Result, bail};
use hallpass_servers::{Package, Postgres, Redis, RedisCluster};

const HELP: &str = "\
Starts a server for tests on a free port, prints its URL, and stops it at the end.

Usage: hallpass-servers COMMAND

  postgres          a PostgreSQL server
  redis             a Redis server
  redis-cluster     a Redis Cluster: prints the URLs of its nodes, one per line
  install           installs the packages of all servers with apt-get
  install valgrind  installs Valgrind

The first use of a server installs its package. A server stops when the standard input ends (Ctrl-D in
a terminal), or when this process ends (Ctrl-C, or `kill`). With </dev/null, only the latter applies.";

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
        Some("--help" | "-h" | "help") => println!("{HELP}"),
        _ => {
            bail!(
                "expected `install`, `install valgrind`, `postgres`, `redis` or `redis-cluster`: see --help"
            )
        }
    }
    Ok(())
}

fn serve(urls: &str) {
    println!("{urls}");
    // A terminal that has hung up would look like `/dev/null` afterwards.
    let is_without_input = is_without_input();
    let mut input = stdin().lock();
    while !matches!(input.read(&mut [0; 64]), Ok(0) | Err(_)) {}
    if is_without_input {
        loop {
            std::thread::park();
        }
    }
}

/// Returns whether the standard input is `/dev/null`, which is always at its end. Service managers
/// and shells start background processes like that. If it was closed, Rust opens `/dev/null`.
fn is_without_input() -> bool {
    let is_device = |input: fs::Metadata| input.file_type().is_char_device();
    !stdin().is_terminal() && fs::metadata("/dev/stdin").is_ok_and(is_device)
}
