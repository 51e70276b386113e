//! Gates, at which calls wait.

use std::sync::Arc;

use tokio::sync::watch;

/// A gate, at which calls wait until a test opens it. Clones are the same gate.
///
/// [`FaultsOn::stall`](super::FaultsOn::stall) and [`FaultsOn::hold`](super::FaultsOn::hold) create
/// it. If a gate is dropped without being opened, its calls wait forever.
#[derive(Clone, Debug)]
pub struct Gate(Arc<watch::Sender<Seen>>);

/// The state of a gate.
#[derive(Debug, Default)]
struct Seen {
    is_open: bool,
    arrivals: u64,
}

impl Gate {
    pub(super) fn shut() -> Self {
        Self(Arc::new(watch::Sender::new(Seen::default())))
    }

    /// Opens the gate for all waiting and later calls.
    pub fn open(&self) {
        self.0.send_modify(|seen| seen.is_open = true);
    }

    /// Returns the number of calls that have arrived, including those that have passed.
    #[must_use]
    pub fn arrivals(&self) -> u64 {
        self.0.borrow().arrivals
    }

    /// Waits until this number of calls has arrived.
    pub async fn arrived(&self, calls: u64) {
        self.wait(|seen| seen.arrivals >= calls).await;
    }

    pub(super) fn is_open(&self) -> bool {
        self.0.borrow().is_open
    }

    /// Waits until the gate is open.
    pub(super) async fn pass(&self) {
        self.0.send_modify(|seen| seen.arrivals += 1);
        self.wait(|seen| seen.is_open).await;
    }

    async fn wait(&self, until: impl FnMut(&Seen) -> bool) {
        let mut seen = self.0.subscribe();
        seen.wait_for(until).await.expect("this gate holds the sender");
    }
}
