//! Turns: how many calls of one owner the store works on at once.
//!
//! An owner who sends a thousand requests at once must not keep others waiting. So only a few calls
//! of each owner reach the store at a time. The others wait here, behind calls of the same owner
//! only. Taking rights away never waits behind the same owner's reads and edits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Hallpass;
use crate::owner::Owner;
use crate::store::StoreError;

/// The maximum number of concurrent calls of one owner and one kind.
const CALLS: usize = 2;

/// The time after which a call that waited for its turn is not made any more.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The kind of a call. Calls of one kind do not wait for those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    /// Reading tokens, or the audit trail.
    Read,
    /// Issuing and editing tokens.
    Edit,
    /// Taking rights away.
    Removal,
}

/// The queues of the owners whose calls run or wait.
#[derive(Default)]
pub(super) struct Turns(Arc<Mutex<Queues>>);

type Queues = HashMap<(Lane, Owner), Queue>;

struct Queue {
    calls: Arc<Semaphore>,
    /// The number of calls that run or wait. The last one to leave removes the queue.
    places: usize,
}

/// The permission to call the store, until it is dropped. The fields are dropped in this order.
pub(super) struct Turn {
    _permit: OwnedSemaphorePermit,
    _place: Place,
}

/// The error for a call that waited too long.
#[derive(Debug, thiserror::Error)]
#[error("too many calls of this owner at once")]
struct TooManyCalls;

impl Hallpass {
    /// Waits until the store may work on a call of this owner. A call of the host itself, which has
    /// no owner, does not wait.
    pub(super) async fn turn(
        &self,
        lane: Lane,
        owner: Option<&Owner>,
    ) -> Result<Option<Turn>, StoreError> {
        let Some(owner) = owner else { return Ok(None) };
        let since = Instant::now();
        let (place, calls) = Place::enter(&self.0.turns, (lane, owner.clone()));
        let permit = calls.acquire_owned().await.map_err(StoreError::unavailable)?;
        // Nobody needs the result any more. If the store is unavailable, this ends the whole queue
        // at once, where each call would otherwise wait for its own timeout.
        if since.elapsed() > PATIENCE {
            return Err(StoreError::unavailable(TooManyCalls));
        }
        Ok(Some(Turn { _permit: permit, _place: place }))
    }
}

/// A place in a queue.
struct Place {
    queues: Arc<Mutex<Queues>>,
    key: (Lane, Owner),
}

impl Place {
    fn enter(turns: &Turns, key: (Lane, Owner)) -> (Self, Arc<Semaphore>) {
        let mut queues = lock(&turns.0);
        let queue = queues
            .entry(key.clone())
            .or_insert_with(|| Queue { calls: Arc::new(Semaphore::new(CALLS)), places: 0 });
        queue.places += 1;
        (Self { queues: Arc::clone(&turns.0), key }, Arc::clone(&queue.calls))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut queues = lock(&self.queues);
        if let Some(queue) = queues.get_mut(&self.key) {
            queue.places -= 1;
            if queue.places == 0 {
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
    fn last_call_to_leave_removes_the_queue() {
        let turns = Turns::default();
        let key = (Lane::Edit, Owner::new("alice").unwrap());
        let (first, calls) = Place::enter(&turns, key.clone());
        let (second, _) = Place::enter(&turns, key.clone());
        drop(first);
        assert_eq!(lock(&turns.0)[&key].places, 1);
        drop(second);
        // The queue is gone although somebody still has a reference to its semaphore.
        assert!(lock(&turns.0).is_empty());
        drop(calls);
    }
}
