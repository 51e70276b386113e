//! Servers that each have a thread and a port of their own.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result};
use axum::Router;
use axum::serve::ListenerExt;
use rustix::process::Pid;
use rustix::thread::gettid;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

/// A running server, and the credentials that it accepts.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) thread: ServerThread,
    pub(crate) credentials: Vec<String>,
}

/// The only thread of a server.
#[derive(Clone, Copy)]
pub(crate) struct ServerThread(Pid);

impl ServerThread {
    /// Returns the CPU time of the thread in nanoseconds.
    ///
    /// # Errors
    ///
    /// Returns an error if the system does not report it. Only Linux does.
    pub(crate) fn cpu_time(self) -> Result<u64> {
        let path = format!("/proc/self/task/{}/schedstat", self.0);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let spent = text.split(' ').next().unwrap_or_default();
        spent.parse().with_context(|| format!("{path} contains no CPU time"))
    }
}

/// Starts a thread of this name that serves the router which `make` returns, until the process
/// ends.
pub(crate) fn serve(
    name: &str,
    make: impl AsyncFnOnce() -> Result<(Router, Vec<String>)> + Send + 'static,
) -> Result<Served> {
    let (tell, told) = mpsc::channel();
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        let told = tell.clone();
        if let Err(error) = run(make, tell) {
            // The receiver was dropped if the server has already started.
            let _ = told.send(Err(error));
        }
    })?;
    told.recv().context("a server's thread ended without reporting an error")?
}

fn run(
    make: impl AsyncFnOnce() -> Result<(Router, Vec<String>)>,
    tell: mpsc::Sender<Result<Served>>,
) -> Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (router, credentials) = make().await?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let _ = tell.send(Ok(Served {
            address: listener.local_addr()?,
            thread: ServerThread(gettid()),
            credentials,
        }));
        // Small responses must not wait for an acknowledgement of the previous one.
        let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, service).await?;
        Ok(())
    })
}
