use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

use super::link::{Connection, Link};
use super::pump::{Broken, pump};
use super::{Flow, Way};

/// The maximum time until a proxy has begun or stopped to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// The state that a proxy shares with its thread.
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
    /// The byte limit of each direction, or `None` if there is no limit.
    allowed: [Option<Allowed>; 2],
}

/// The number of bytes that may still be forwarded, and the fault that follows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    pub(super) bytes: u64,
    pub(super) then: Then,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Then {
    /// The connection of the next byte is reset.
    Reset,
    /// All connections are reset.
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

    /// Starts or stops accepting connections, and waits until the change has taken effect.
    pub(super) fn accept(&self, accepts: bool) {
        self.accepts.send_replace(accepts);
        self.wait_until_listening(accepts);
    }

    pub(super) fn wait_until_listening(&self, listens: bool) {
        let (listening, changed) = &self.listening;
        let listening = listening.lock().unwrap_or_else(PoisonError::into_inner);
        let (listening, _) = changed
            .wait_timeout_while(listening, PATIENCE, |listening| *listening != listens)
            .unwrap_or_else(PoisonError::into_inner);
        let port = self.address.port();
        assert_eq!(*listening, listens, "whether the proxy listens on port {port}");
    }

    fn listens(&self, listens: bool) {
        let (listening, changed) = &self.listening;
        *listening.lock().unwrap_or_else(PoisonError::into_inner) = listens;
        changed.notify_all();
    }

    /// Takes bytes from the limit of a direction.
    ///
    /// # Errors
    ///
    /// Returns the number of bytes that may still be forwarded if the limit is exceeded. The
    /// connection must be reset after them.
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

    /// Forwards the connection of a client until it ends.
    async fn forward(self: Arc<Self>, client: TcpStream) {
        let target = self.lock().target;
        let Ok(mut server) = TcpStream::connect(target).await else {
            return reset(&client);
        };
        let mut client = client;
        let Ok(port) = server.local_addr().map(|address| address.port()) else { return };
        for stream in [&client, &server] {
            // If the peer has already closed the connection, reading reports that.
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

/// Makes the stream send a RST when it is dropped, instead of an orderly close.
fn reset(stream: &TcpStream) {
    // An error means that the connection has already ended.
    let _ = stream.set_zero_linger();
}

/// Accepts connections, while that is enabled, until `ended` is triggered.
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
        let listener = TcpListener::bind(shared.address)
            .await
            .expect("cannot listen on the port of the proxy");
        shared.listens(true);
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    // The client may already have closed the connection.
                    let Ok((client, _)) = accepted else { continue };
                    tokio::spawn(Arc::clone(shared).forward(client));
                }
                () = wait_for(&mut accepts, false) => break,
            }
        }
        drop(listener);
        // A process that another thread starts has a copy of the listener until its program runs.
        while TcpStream::connect(shared.address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        shared.listens(false);
    }
}

async fn wait_for(accepts: &mut watch::Receiver<bool>, expected: bool) {
    accepts.wait_for(|accepts| *accepts == expected).await.expect("`Shared` holds the sender");
}
