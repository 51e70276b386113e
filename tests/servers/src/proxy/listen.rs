use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

use super::link::{Connection, Link};
use super::pump::{Broken, pump};
use super::{Flow, Way};

/// What a proxy and its thread have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) address: SocketAddr,
    pub(super) accepted: AtomicU64,
    pub(super) passed: [AtomicU64; 2],
    accepts: watch::Sender<bool>,
    listening: (Mutex<bool>, Condvar),
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    target: SocketAddr,
    flows: [Flow; 2],
    links: Vec<Arc<Link>>,
    /// How much may still pass; none if anything may.
    allowed: [Option<Allowed>; 2],
}

/// How many bytes may still pass, and what comes after that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    pub(super) bytes: u64,
    pub(super) then: Then,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Then {
    /// The connection ends on which the next byte was to go.
    Reset,
    /// All of them end.
    Cut,
}

impl Shared {
    pub(super) fn new(address: SocketAddr, target: SocketAddr) -> Self {
        let state =
            State { target, flows: Default::default(), links: Vec::new(), allowed: [None; 2] };
        Self {
            address,
            accepted: AtomicU64::new(0),
            passed: Default::default(),
            accepts: watch::Sender::new(true),
            listening: Default::default(),
            state: Mutex::new(state),
        }
    }

    pub(super) fn target(&self, server: SocketAddr) {
        self.lock().target = server;
    }

    pub(super) fn set(&self, way: Way, flow: Flow) {
        let mut state = self.lock();
        state.flows[way as usize] = flow;
        for link in &state.links {
            Connection(Arc::clone(link)).set(way, flow);
        }
    }

    pub(super) fn allow(&self, way: Way, allowed: Option<Allowed>) {
        self.lock().allowed[way as usize] = allowed;
    }

    pub(super) fn connections(&self) -> Vec<Connection> {
        self.lock().links.iter().cloned().map(Connection).collect()
    }

    /// Takes connections or not, and waits until that is so.
    pub(super) fn accept(&self, accepts: bool) {
        self.accepts.send_replace(accepts);
        self.wait_until_listening(accepts);
    }

    pub(super) fn wait_until_listening(&self, listens: bool) {
        let (listening, changed) = &self.listening;
        let listening = listening.lock().unwrap_or_else(PoisonError::into_inner);
        drop(changed.wait_while(listening, |listening| *listening != listens));
    }

    fn listens(&self, listens: bool) {
        let (listening, changed) = &self.listening;
        *listening.lock().unwrap_or_else(PoisonError::into_inner) = listens;
        changed.notify_all();
    }

    /// How many of these bytes may pass before the connection has to end; all of them if it need
    /// not.
    pub(super) fn take(&self, way: Way, bytes: usize) -> Result<(), usize> {
        let mut state = self.lock();
        let allowed = &mut state.allowed[way as usize];
        let Some(left) = allowed else { return Ok(()) };
        if left.bytes >= bytes as u64 {
            left.bytes -= bytes as u64;
            return Ok(());
        }
        let Allowed { bytes, then } = *left;
        *allowed = None;
        drop(state);
        if let Then::Cut = then {
            self.connections().iter().for_each(Connection::cut);
        }
        Err(bytes as usize)
    }

    pub(super) fn count(&self, way: Way, bytes: usize) {
        self.passed[way as usize].fetch_add(bytes as u64, Ordering::SeqCst);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One connection, from its client's side, until it ends.
    async fn lead(self: Arc<Self>, client: TcpStream) {
        let target = self.lock().target;
        let Ok(mut server) = TcpStream::connect(target).await else {
            return reset(&client);
        };
        let mut client = client;
        let Ok(port) = server.local_addr().map(|address| address.port()) else { return };
        for stream in [&client, &server] {
            // If it is gone already, that shows soon.
            let _ = stream.set_nodelay(true);
        }
        let link = {
            let mut state = self.lock();
            let link = Arc::new(Link::new(port, state.flows));
            state.links.push(Arc::clone(&link));
            link
        };
        self.accepted.fetch_add(1, Ordering::SeqCst);
        let ended = {
            let (from_client, to_client) = client.split();
            let (from_server, to_server) = server.split();
            let there = pump(from_client, to_server, Way::ToServer, &link, &self);
            let back = pump(from_server, to_client, Way::ToClient, &link, &self);
            tokio::select! {
                biased;
                () = link.until_cut() => Err(Broken),
                ended = async { tokio::try_join!(there, back) } => ended,
            }
        };
        self.lock().links.retain(|other| !Arc::ptr_eq(other, &link));
        if ended.is_err() {
            reset(&client);
            reset(&server);
        }
    }
}

/// Lets it be reset when it is dropped, not closed in order.
fn reset(stream: &TcpStream) {
    // If it is gone already, there is nothing to reset.
    let _ = stream.set_zero_linger();
}

/// Takes connections, as long as it may, until it ends.
pub(super) async fn serve(shared: Arc<Shared>, ended: oneshot::Receiver<()>) {
    tokio::select! {
        _ = ended => {}
        () = listen(&shared) => {}
    }
}

async fn listen(shared: &Arc<Shared>) {
    let mut accepts = shared.accepts.subscribe();
    loop {
        wait_for(&mut accepts, true).await;
        let listener = TcpListener::bind(shared.address).await.expect("the port is this proxy's");
        shared.listens(true);
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    // Who called may have hung up already.
                    let Ok((client, _)) = accepted else { continue };
                    tokio::spawn(Arc::clone(shared).lead(client));
                }
                () = wait_for(&mut accepts, false) => break,
            }
        }
        drop(listener);
        shared.listens(false);
    }
}

async fn wait_for(accepts: &mut watch::Receiver<bool>, what: bool) {
    accepts.wait_for(|accepts| *accepts == what).await.expect("it is in the same place");
}
