//! Starts a server, prints its URL, and stops it when the input ends or the process does.

use std::io::Read;

use anyhow::{Result, bail};
use hallpass_servers::{Package, Postgres, Redis};

fn main() -> Result<()> {
    match std::env::args().nth(1).as_deref() {
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
        _ => bail!("say which server: postgres or redis"),
    }
    Ok(())
}

fn serve(url: &str) {
    println!("{url}");
    let mut input = std::io::stdin().lock();
    while !matches!(input.read(&mut [0; 64]), Ok(0) | Err(_)) {}
}
