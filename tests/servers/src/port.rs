use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};

/// Below those that the system hands out by itself: there, whoever calls a server that is down
/// could be given the server's own port. The higher half is for the second port of each node of a
/// Redis Cluster.
const PORTS: Range<u16> = 11_000..21_000;

/// How far a node's second port is from its first.
const SECOND: u16 = 10_000;

/// A port of this machine that nobody listens on, on the one that is 10,000 higher neither. In this
/// process it is never given twice, so that a server can be started again on its own. Another
/// process may take it first; the server then fails to start.
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
    bail!("no port can be listened on")
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
