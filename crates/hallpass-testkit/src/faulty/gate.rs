use std::sync::Arc;

use tokio::sync::watch;

/// Where calls wait until a test lets them go. Clones are one gate.
///
/// Made by [`FaultsOn::stall`](super::FaultsOn::stall) and
/// [`FaultsOn::hold`](super::FaultsOn::hold). One that is dropped unopened stays shut: who waits
/// there waits for ever.
#[derive(Clone, Debug)]
pub struct Gate(Arc<watch::Sender<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    is_open: bool,
    arrivals: u64,
}

impl Gate {
    pub(super) fn shut() -> Self {
        Self(Arc::new(watch::Sender::new(Seen::default())))
    }

    /// Lets everybody through, from now on.
    pub fn open(&self) {
        self.0.send_modify(|seen| seen.is_open = true);
    }

    /// How many calls have come to it so far, those that went on included.
    #[must_use]
    pub fn arrivals(&self) -> u64 {
        self.0.borrow().arrivals
    }

    /// Waits until that many calls have come to it.
    pub async fn arrived(&self, calls: u64) {
        self.wait(|seen| seen.arrivals >= calls).await;
    }

    pub(super) fn is_open(&self) -> bool {
        self.0.borrow().is_open
    }

    pub(super) async fn pass(&self) {
        self.0.send_modify(|seen| seen.arrivals += 1);
        self.wait(|seen| seen.is_open).await;
    }

    async fn wait(&self, until: impl FnMut(&Seen) -> bool) {
        let mut seen = self.0.subscribe();
        seen.wait_for(until).await.expect("this gate holds the sender");
    }
}
