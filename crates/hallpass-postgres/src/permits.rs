//! Permits that limit the number of concurrent changes. The other changes wait without a
//! connection.
//!
//! - Taking rights away has permits of its own, so that it never waits behind edits.
//! - One edit per owner runs at a time. Edits of one owner would wait for each other in the server
//!   anyway, and would keep permits from other owners meanwhile.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use hallpass_core::Owner;
use hallpass_core::store::StoreError;
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// The maximum number of concurrent edits. Edits wait for each other at the clock row, so more
/// would gain little, and lookups need connections too.
const EDITS: usize = 4;

/// The maximum number of concurrent removals.
const REMOVALS: usize = 2;

/// The kind of permit that a change needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Capacity<'a> {
    /// For a change that is not urgent, to tokens of this owner.
    Edit(Option<&'a Owner>),
    /// For a change that takes rights away.
    Removal,
}

#[derive(Debug)]
pub(crate) struct WritePermits {
    edits: Arc<Semaphore>,
    removals: Arc<Semaphore>,
    owners: Arc<OwnerQueues>,
}

impl WritePermits {
    pub(crate) fn new() -> Self {
        Self {
            edits: Arc::new(Semaphore::new(EDITS)),
            removals: Arc::new(Semaphore::new(REMOVALS)),
            owners: Arc::default(),
        }
    }

    /// Waits for a permit. An edit waits for its owner first, so that it holds no permit while it
    /// waits.
    pub(crate) async fn acquire(
        &self,
        capacity: Capacity<'_>,
        deadline: Instant,
    ) -> Result<WritePermit, StoreError> {
        let waiting = async {
            let (semaphore, owner) = match capacity {
                Capacity::Edit(owner) => (&self.edits, owner),
                Capacity::Removal => (&self.removals, None),
            };
            let place = owner.map(|owner| OwnerQueues::enter(&self.owners, owner));
            let turn = match &place {
                Some(place) => Some(Arc::clone(&place.queue).lock_owned().await),
                None => None,
            };
            let permit = Arc::clone(semaphore).acquire_owned().await;
            let permit = permit.map_err(StoreError::unavailable)?;
            Ok(WritePermit { _permit: permit, _turn: turn, _place: place })
        };
        timeout_at(deadline, waiting).await.map_err(StoreError::unavailable)?
    }

    /// Rejects all later changes.
    pub(crate) fn close(&self) {
        self.edits.close();
        self.removals.close();
    }
}

/// The permission to make one change, until it is dropped. The fields are dropped in this order.
#[derive(Debug)]
pub(crate) struct WritePermit {
    _permit: OwnedSemaphorePermit,
    _turn: Option<OwnedMutexGuard<()>>,
    _place: Option<Place>,
}

/// A queue for each owner whose tokens are being changed.
#[derive(Debug, Default)]
struct OwnerQueues(Mutex<HashMap<Owner, Arc<tokio::sync::Mutex<()>>>>);

impl OwnerQueues {
    fn enter(queues: &Arc<Self>, owner: &Owner) -> Place {
        let mut map = queues.0.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = Arc::clone(map.entry(owner.clone()).or_default());
        Place { queue, owner: owner.clone(), queues: Arc::clone(queues) }
    }
}

/// A place in the queue of an owner. The last one to leave removes the queue.
#[derive(Debug)]
struct Place {
    queue: Arc<tokio::sync::Mutex<()>>,
    owner: Owner,
    queues: Arc<OwnerQueues>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut map = self.queues.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The map's reference and this one. More can only come from the map, which is locked.
        if Arc::strong_count(&self.queue) == 2 {
            map.remove(&self.owner);
        }
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
            edits.push(permits.acquire(Capacity::Edit(None), soon()).await.unwrap());
        }
        assert!(permits.acquire(Capacity::Edit(None), soon()).await.unwrap_err().is_unavailable());
        let _first = permits.acquire(Capacity::Removal, soon()).await.unwrap();
        let _second = permits.acquire(Capacity::Removal, soon()).await.unwrap();
        assert!(permits.acquire(Capacity::Removal, soon()).await.is_err());
    }

    #[tokio::test]
    async fn waiting_edits_of_one_owner_hold_no_permit_and_leave_nothing_behind() {
        let permits = WritePermits::new();
        let (alice, bob) = (Owner::new("alice").unwrap(), Owner::new("bob").unwrap());
        let first = permits.acquire(Capacity::Edit(Some(&alice)), soon()).await.unwrap();
        assert!(permits.acquire(Capacity::Edit(Some(&alice)), soon()).await.is_err());
        assert_eq!(permits.edits.available_permits(), EDITS - 1);
        drop(permits.acquire(Capacity::Edit(Some(&bob)), soon()).await.unwrap());
        drop(first);
        drop(permits.acquire(Capacity::Edit(Some(&alice)), soon()).await.unwrap());
        assert!(permits.owners.0.lock().unwrap().is_empty());
    }
}
