//! Permits that limit the number of concurrent changes. The other changes wait without a
//! connection.
//!
//! Revoking and deleting have separate permits, so that they never wait for edits. No owner can
//! take all permits, because the handle sends only a few changes of each owner to the store at a
//! time.

use std::sync::Arc;

use hallpass_core::EventKind;
use hallpass_core::store::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// The maximum number of concurrent edits. Edits wait for each other at the clock row, so more
/// would gain little, and lookups need connections too.
const EDITS: usize = 4;

/// The maximum number of concurrent removals.
const REMOVALS: usize = 2;

#[derive(Debug)]
pub(crate) struct WritePermits {
    edits: Arc<Semaphore>,
    removals: Arc<Semaphore>,
}

impl WritePermits {
    pub(crate) fn new() -> Self {
        Self {
            edits: Arc::new(Semaphore::new(EDITS)),
            removals: Arc::new(Semaphore::new(REMOVALS)),
        }
    }

    /// Waits for a permit, which lasts until it is dropped.
    pub(crate) async fn acquire(
        &self,
        kind: EventKind,
        deadline: Instant,
    ) -> Result<OwnedSemaphorePermit, StoreError> {
        let permits = match kind {
            EventKind::Revoked
            | EventKind::Deleted
            | EventKind::GracePeriodEnded
            | EventKind::OwnerChanged => &self.removals,
            _ => &self.edits,
        };
        let permit = timeout_at(deadline, Arc::clone(permits).acquire_owned()).await;
        permit.map_err(StoreError::unavailable)?.map_err(StoreError::unavailable)
    }

    /// Rejects all later changes.
    pub(crate) fn close(&self) {
        self.edits.close();
        self.removals.close();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(20)
    }

    #[tokio::test]
    async fn removals_do_not_wait_for_edits() {
        let permits = WritePermits::new();
        let mut edits = Vec::new();
        for _ in 0..EDITS {
            edits.push(permits.acquire(EventKind::Updated, soon()).await.unwrap());
        }
        assert!(permits.acquire(EventKind::Updated, soon()).await.unwrap_err().is_unavailable());
        let _first = permits.acquire(EventKind::Revoked, soon()).await.unwrap();
        let _second = permits.acquire(EventKind::Revoked, soon()).await.unwrap();
        assert!(permits.acquire(EventKind::Revoked, soon()).await.is_err());
    }
}
