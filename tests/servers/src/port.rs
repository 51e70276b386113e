use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result};

/// A port of this machine that nobody listens on. Somebody else may take it before the server does; the
/// server then fails to start.
pub(crate) fn free() -> Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port can be listened on")?;
    Ok(listener.local_addr()?.port())
}
