//! Limits how many calls of one owner reach the store at a time.
//!
//! An owner who sends a thousand requests at once must not keep others waiting. So only a few calls
//! of each owner reach the store at a time. The others wait here, behind calls of the same owner
//! only. Revocations and deletions never wait for reads and edits of the same owner.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Hallpass;
use crate::owner::Owner;
use crate::store::StoreError;

/// The maximum number of concurrent calls of one owner and one kind.
const CALLS: usize = 2;

/// The maximum time that a call waits for a permit.
const MAX_WAIT: Duration = Duration::from_millis(1500);

/// The kind of a call. Calls of one kind do not wait for those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum CallKind {
    /// Reading tokens, or the audit trail.
    Read,
    /// Issuing and editing tokens.
    Edit,
    /// Revoking and deleting tokens.
    Removal,
}

/// The queues of the owners whose calls run or wait.
#[derive(Default)]
pub(super) struct OwnerLimits(Arc<Mutex<Queues>>);

type Queues = HashMap<(CallKind, Owner), Queue>;

struct Queue {
    calls: Arc<Semaphore>,
    /// The number of calls that run or wait. The queue is removed when the last one has ended.
    entries: usize,
}

/// A permit to call the store. When it is dropped, the next call of the owner may begin. The fields
/// are dropped in this order.
pub(super) struct Permit {
    _permit: OwnedSemaphorePermit,
    _entry: QueueEntry,
}

/// The error for a call that waited too long.
#[derive(Debug, thiserror::Error)]
#[error("too many calls of this owner at once")]
struct TooManyCalls;

impl Hallpass {
    /// Waits until a call of this owner may use the store. A call of the host itself, which has no
    /// owner, does not wait.
    ///
    /// # Errors
    ///
    /// Returns [`unavailable`](StoreError::unavailable) if the call has waited for too long.
    pub(super) async fn acquire(
        &self,
        call: CallKind,
        owner: Option<&Owner>,
    ) -> Result<Option<Permit>, StoreError> {
        let Some(owner) = owner else { return Ok(None) };
        let since = Instant::now();
        let (entry, calls) = QueueEntry::enter(&self.0.owner_limits, (call, owner.clone()));
        let permit = calls.acquire_owned().await.map_err(StoreError::unavailable)?;
        // The caller has probably given up by now. If the store is unavailable, this ends all calls
        // in the queue at once. Otherwise they would run into the store's timeout one after the
        // other.
        if since.elapsed() > MAX_WAIT {
            return Err(StoreError::unavailable(TooManyCalls));
        }
        Ok(Some(Permit { _permit: permit, _entry: entry }))
    }
}

/// A call in the queue of its owner.
struct QueueEntry {
    queues: Arc<Mutex<Queues>>,
    key: (CallKind, Owner),
}

impl QueueEntry {
    fn enter(limits: &OwnerLimits, key: (CallKind, Owner)) -> (Self, Arc<Semaphore>) {
        let mut queues = lock(&limits.0);
        let queue = queues
            .entry(key.clone())
            .or_insert_with(|| Queue { calls: Arc::new(Semaphore::new(CALLS)), entries: 0 });
        queue.entries += 1;
        (Self { queues: Arc::clone(&limits.0), key }, Arc::clone(&queue.calls))
    }
}

impl Drop for QueueEntry {
    fn drop(&mut self) {
        let mut queues = lock(&self.queues);
        if let Some(queue) = queues.get_mut(&self.key) {
            queue.entries -= 1;
            if queue.entries == 0 {
                queues.remove(&self.key);
            }
        }
    }
}

fn lock(queues: &Mutex<Queues>) -> MutexGuard<'_, Queues> {
    queues.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_call_of_an_owner_removes_the_queue() {
        let limits = OwnerLimits::default();
        let key = (CallKind::Edit, Owner::new("alice").unwrap());
        let (first, calls) = QueueEntry::enter(&limits, key.clone());
        let (second, _) = QueueEntry::enter(&limits, key.clone());
        drop(first);
        assert_eq!(lock(&limits.0)[&key].entries, 1);
        drop(second);
        // The queue is removed although `calls` still refers to its semaphore.
        assert!(lock(&limits.0).is_empty());
        drop(calls);
    }
}
