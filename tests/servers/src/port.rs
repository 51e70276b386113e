use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};

/// The range of the ports. It lies below the ephemeral ports of the system: a client that connects
/// to a stopped server could otherwise get the port of that server as its own. The ports [`SECOND`]
/// above this range are for the cluster bus of Redis Cluster nodes.
const PORTS: Range<u16> = 11_000..21_000;

/// The distance of the cluster bus port of a Redis Cluster node from its first port.
const SECOND: u16 = 10_000;

/// Returns a port on which no process listens, neither on it nor on the port [`SECOND`] above. A
/// process gets each port once, so that a server can be started again on its port. If another
/// process takes the port first, the server fails to start.
pub(crate) fn free() -> Result<u16> {
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let given = given.get_or_insert_default();
    for _ in 0..1_000 {
        let chance = RandomState::new().hash_one(0_u8) % u64::from(PORTS.end - PORTS.start);
        let port = PORTS.start + chance as u16;
        if !given.contains(&port) && is_free(port) && is_free(port + SECOND) {
            given.insert(port);
            return Ok(port);
        }
    }
    bail!("found no free port in {}..{}", PORTS.start, PORTS.end)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
