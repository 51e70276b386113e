mod link;
mod listen;
mod pump;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::oneshot;

pub use self::link::Connection;
use self::listen::{Allowed, Shared, Then, serve};
use crate::port;

/// What becomes of the bytes that go one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// They arrive at once.
    #[default]
    Pass,
    /// They arrive so much later.
    Delay(Duration),
    /// They arrive once this is over, as over a network that was cut and mended in time.
    Hold,
    /// They are lost, and so is all that comes after them on the same connection, even if this is
    /// over: the other end is gone, and nobody says so.
    Swallow,
}

/// From where to where bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the client.
    ToServer,
    /// From the server.
    ToClient,
}

impl Way {
    const BOTH: [Self; 2] = [Self::ToServer, Self::ToClient];
}

/// A network between clients and a server, which breaks when it is told to.
///
/// It runs on a thread of its own, and ends with its value; its connections are closed then.
///
/// ```no_run
/// # fn main() -> anyhow::Result<()> {
/// use hallpass_servers::{Proxy, Redis};
///
/// let server = Redis::start()?;
/// let network = Proxy::to(server.address())?;
/// let url = network.url(server.url());
/// // A client connects to the URL, and then:
/// network.swallow();
/// network.heal();
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Proxy {
    server: SocketAddr,
    shared: Arc<Shared>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// A network on which all is well.
    ///
    /// # Errors
    ///
    /// No port can be listened on.
    pub fn to(server: SocketAddr) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()?));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = Arc::new(Shared::new(address, server));
        let (end, ended) = oneshot::channel();
        let serving = serve(Arc::clone(&shared), ended);
        let thread = std::thread::Builder::new()
            .name("proxy".to_owned())
            .spawn(move || runtime.block_on(serving))
            .context("no thread can be started")?;
        shared.wait_until_listening(true);
        Ok(Self { server, shared, end: Some(end), thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// The server's URL, by way of this network.
    #[must_use]
    pub fn url(&self, of_server: &str) -> String {
        of_server.replace(&self.server.to_string(), &self.address().to_string())
    }

    /// Lets new connections lead to another server. Those there are stay where they are.
    pub fn lead_to(&self, server: SocketAddr) {
        self.shared.target(server);
    }

    /// What becomes of what goes that way, on every connection that there is or will be.
    pub fn set(&self, way: Way, flow: Flow) {
        self.shared.set(way, flow);
    }

    /// The same for both ways.
    pub fn set_both(&self, flow: Flow) {
        Way::BOTH.into_iter().for_each(|way| self.set(way, flow));
    }

    /// From here on everything is lost, both ways, and nobody is told: see [`Flow::Swallow`].
    pub fn swallow(&self) {
        self.set_both(Flow::Swallow);
    }

    /// Takes no more connections, as a machine does on which nobody listens. Those there are live
    /// on.
    pub fn refuse(&self) {
        self.shared.accept(false);
    }

    /// Ends all connections at once: both ends hear of it (RST).
    pub fn cut(&self) {
        self.connections().iter().for_each(Connection::cut);
    }

    /// As many bytes as these still go that way, on whatever connections; the one that is the next
    /// to go ends its connection (RST). That happens once.
    pub fn reset_after(&self, way: Way, bytes: u64) {
        self.shared.allow(way, Some(Allowed { bytes, then: Then::Reset }));
    }

    /// The same, but it ends all connections.
    pub fn cut_after(&self, way: Way, bytes: u64) {
        self.shared.allow(way, Some(Allowed { bytes, then: Then::Cut }));
    }

    /// From here on all is well again, but for what is lost already.
    pub fn heal(&self) {
        Way::BOTH.into_iter().for_each(|way| self.shared.allow(way, None));
        self.set_both(Flow::Pass);
        self.shared.accept(true);
    }

    /// The connections that there are, the oldest first.
    #[must_use]
    pub fn connections(&self) -> Vec<Connection> {
        self.shared.connections()
    }

    /// The connection that the server sees as coming from that port of this machine.
    #[must_use]
    pub fn connection(&self, port: u16) -> Option<Connection> {
        self.connections().into_iter().find(|connection| connection.port() == port)
    }

    /// How many connections there were so far.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// How many bytes have arrived so far that went that way.
    #[must_use]
    pub fn passed(&self, way: Way) -> u64 {
        self.shared.passed[way as usize].load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // If its thread has panicked, there is nobody to tell.
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
