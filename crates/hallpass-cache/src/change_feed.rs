//! The follower: the task that follows the change log and renews the lease.
//!
//! The follower reads the log from its last position on, **including** the entry at that position.
//! Two conditions show that the batch continues the history that this node has followed so far:
//!
//! - The entry at the position has the same nonce. After a failover that lost changes, or a
//!   restored backup, the store may assign the same numbers to other changes. Without this check,
//!   the node would treat those as changes that it has applied already.
//! - The numbers after it have no gap. If an entry were missing, the node would never apply its
//!   change.
//!
//! A third sign of a different history is a head below a number that this node has already seen. In
//! each case all cached data is invalidated, and the follower starts again at the head. It then
//! waits as after a failed read, and ignores notifications meanwhile. Otherwise, it would start
//! over without a pause if its reads reach two servers with different histories in turn.
//!
//! A notification only makes the follower read earlier. It may be false, repeated or lost, because
//! correctness depends only on reading the log.
//!
//! The position outlives the task. If the task ends, because its runtime has ended or it panicked,
//! the next load starts it again at the same position. So a history that has forked in the meantime
//! is detected.

use std::collections::hash_map::RandomState;
use std::future::{Future as _, poll_fn};
use std::hash::BuildHasher as _;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use hallpass_core::store::{ChangeBatch, ChangeSeq, LogPosition, StoreError, TokenStore};
use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout};

use crate::dual_instant::DualInstant;
use crate::freshness::LogBatch;
use crate::inner::Inner;
use crate::metrics::Trigger;

/// The number of entries to request at once.
const BATCH: u32 = 1000;

/// The shortest time between two reads of the log, regardless of the number of notifications. It
/// doubles with each notification in a row that announces no change.
const MIN_PAUSE: Duration = Duration::from_millis(1);

/// A guard that marks the follower as running. The task owns it, so it is dropped even if the task
/// panics or is cancelled, and the next load can start another follower.
struct Running<S>(Arc<Inner<S>>);

impl<S> Drop for Running<S> {
    fn drop(&mut self) {
        self.0.is_following.store(false, Ordering::Release);
    }
}

/// Starts the follower on the caller's runtime, unless it is running already.
pub(crate) fn ensure_running<S: TokenStore>(cache: &Arc<Inner<S>>) {
    if cache.is_following.load(Ordering::Relaxed) || cache.is_following.swap(true, Ordering::AcqRel)
    {
        return;
    }
    if cache.was_followed.swap(true, Ordering::Relaxed) {
        tracing::warn!(target: "hallpass", "change log follower ended, starting it again");
    }
    tokio::spawn(follow(Running(Arc::clone(cache))));
}

/// Follows the log until the cache is closed or dropped.
async fn follow<S: TokenStore>(running: Running<S>) {
    let cache = &*running.0;
    let mut trigger = Trigger::Poll;
    let mut min_pause = MIN_PAUSE;
    loop {
        let read_at = Instant::now();
        let position = *cache.position.borrow();
        let lease = cache.lease.get();
        let backoff = cache.settings.poll.min(cache.settings.max_staleness) / 2;
        let (wait, is_woken) = match catch_up(cache, trigger).await {
            Ok(History::Same) => {
                cache.metrics.record_lease_age(age(lease.or_else(|| cache.lease.get())));
                // A notification may be false at each read: for example, if it comes from a server
                // that was replaced by another one with a shorter log.
                let is_false = trigger == Trigger::Push && *cache.position.borrow() == position;
                min_pause = if is_false { (min_pause * 2).min(backoff) } else { MIN_PAUSE };
                (cache.settings.poll, true)
            }
            Ok(History::Other) => (backoff, false),
            Err(error) => {
                let lease_age = age(cache.lease.get());
                cache.metrics.record_lease_age(lease_age);
                // No other action is necessary, because the lease expires by itself.
                tracing::warn!(
                    target: "hallpass",
                    error = &error as &dyn std::error::Error,
                    ?lease_age,
                    "could not read the change log, cached tokens are used no longer than max_staleness"
                );
                // A notification would arrive at once again, because the change that it reports was
                // not read.
                (backoff, false)
            }
        };
        let mut wake = pause(cache, with_jitter(wait), is_woken).await;
        trigger = if let Wake::Push = wake { Trigger::Push } else { Trigger::Poll };
        if let Wake::Push = wake {
            wake = pause(cache, min_pause.saturating_sub(read_at.elapsed()), false).await;
        }
        if let Wake::Closing = wake {
            // `close` has done this already. But this task may then have begun an epoch or renewed
            // the lease, which would undo it.
            cache.invalidate_all();
            return;
        }
    }
}

/// Returns the age of a lease, if there is one.
fn age(lease: Option<DualInstant>) -> Option<Duration> {
    lease.map(|lease| lease.age(DualInstant::now()))
}

/// The reason why a pause ended.
enum Wake {
    /// The poll interval has passed.
    Poll,
    /// The store has reported a change, or a call on this node has made or seen one.
    Push,
    /// The cache is being closed, or was dropped.
    Closing,
}

/// Waits until the log should be read again, or until the cache is closed. `is_woken` is whether
/// notifications shorten the wait.
async fn pause<S: TokenStore>(cache: &Inner<S>, wait: Duration, is_woken: bool) -> Wake {
    let mut closing = cache.closing.subscribe();
    let mut closed = pin!(closing.wait_for(|closing| *closing));
    let mut pushed = pin!(pushed(cache));
    let mut asked_for = pin!(cache.wake_follower.notified());
    let mut over = pin!(sleep(wait));
    poll_fn(|context| {
        if closed.as_mut().poll(context).is_ready() {
            Poll::Ready(Wake::Closing)
        } else if over.as_mut().poll(context).is_ready() {
            Poll::Ready(Wake::Poll)
        } else if !is_woken {
            Poll::Pending
        } else if asked_for.as_mut().poll(context).is_ready() {
            Poll::Ready(Wake::Push)
        } else {
            pushed.as_mut().poll(context).map(|()| Wake::Push)
        }
    })
    .await
}

/// Waits until the store reports that the log has entries after the known position.
async fn pushed<S: TokenStore>(cache: &Inner<S>) {
    let position = *cache.position.borrow();
    match position {
        Some(position) => cache.store.wait_for_change(position).await,
        None => std::future::pending().await,
    }
}

/// Whether the log continues the history that this node has followed.
enum History {
    /// It does, and all entries were applied.
    Same,
    /// It does not, or an entry cannot be read. All cached data was invalidated.
    Other,
}

/// Applies all new entries, and then renews the lease to the instant before the log was read.
async fn catch_up<S: TokenStore>(
    cache: &Inner<S>,
    trigger: Trigger,
) -> Result<History, StoreError> {
    loop {
        let position = *cache.position.borrow();
        // This must be loaded before the log is read. A number that is noted later may legitimately
        // be above the head of the batch, and would then be mistaken for a sign of another history.
        let highest = cache.highest_seq.load(Ordering::Acquire);
        // This must be taken before the log is read, because a change may be committed while the
        // reply is in transit.
        let asked_at = DualInstant::now();
        let changes = match read_log(cache, position, BATCH).await {
            Err(error) if error.is_corrupt() && position.is_some() => {
                return skip_unreadable(cache, position, asked_at, &error).await;
            }
            changes => changes?,
        };
        if let Some(time) = changes.time {
            cache.metrics.record_clock_offset(cache.store_clock.learn(time, Timestamp::now()));
        }
        let Inner { invalidation, lease, .. } = cache;
        let batch = LogBatch { lease, invalidation, asked_at };
        let is_same_history = changes.head.seq.get() >= highest
            && position.is_none_or(|position| continues(&changes, position));
        if !is_same_history {
            tracing::error!(
                target: "hallpass",
                last = position.map(|position| position.seq.get()),
                head = changes.head.seq.get(),
                "change log has another history (failover, restored backup, or too long a pause), \
                 invalidating all cached data"
            );
            cache.start_over(Some(changes.head));
            return Ok(History::Other);
        }
        let Some(_) = position else {
            batch.head(changes.head.seq);
            cache.position.send_replace(Some(changes.head));
            return Ok(History::Same);
        };
        // The first entry is at the known position, so it is not a new one.
        cache.metrics.count_changes(trigger, changes.entries.len().saturating_sub(1));
        let last = changes.entries.last().map_or(changes.head, |entry| entry.position);
        let are_last = changes.entries.len() < BATCH as usize || last == changes.head;
        batch.entries(&changes.entries, are_last);
        cache.position.send_replace(Some(last));
        if are_last {
            return Ok(History::Same);
        }
    }
}

/// Continues after a part of the log that cannot be read. An entry in it may be about any token, so
/// all cached data is invalidated.
async fn skip_unreadable<S: TokenStore>(
    cache: &Inner<S>,
    position: Option<LogPosition>,
    asked_at: DualInstant,
    error: &StoreError,
) -> Result<History, StoreError> {
    let head = read_log(cache, None, 0).await?.head;
    if position == Some(head) {
        // All changes up to the head were applied before.
        cache.lease.renew(asked_at);
        return Ok(History::Same);
    }
    tracing::error!(
        target: "hallpass",
        error = error as &dyn std::error::Error,
        "change log entry cannot be read, invalidating all cached data"
    );
    cache.start_over(Some(head));
    Ok(History::Other)
}

/// Reads the log. It waits no longer than `max_staleness`: if the reply came later, the lease would
/// have expired already.
async fn read_log<S: TokenStore>(
    cache: &Inner<S>,
    from: Option<LogPosition>,
    limit: u32,
) -> Result<ChangeBatch, StoreError> {
    let reply = timeout(cache.settings.max_staleness, cache.store.changes(from, limit));
    reply.await.map_err(StoreError::unavailable)?
}

/// Returns whether these entries continue the same history from `from`, without a gap.
fn continues(changes: &ChangeBatch, from: LogPosition) -> bool {
    let Some(first) = changes.entries.first() else {
        // The entry at the position may have been pruned. If it was the newest one, the head still
        // shows its nonce.
        return changes.head == from;
    };
    // An empty log has no entry at position 0, so there is no nonce to compare. That is safe: at
    // number 0, a cache can only have read that tokens do not exist, and each later entry
    // invalidates this result for its token.
    let begins = from.seq == ChangeSeq::ZERO && first.position.seq == ChangeSeq::ZERO.next();
    let mut pairs = changes.entries.windows(2);
    (first.position == from || begins)
        && pairs.all(|two| two[0].position.seq.next() == two[1].position.seq)
}

/// Makes a pause up to a quarter shorter or longer, so that nodes do not all read at the same time.
fn with_jitter(wait: Duration) -> Duration {
    let random = RandomState::new().hash_one(0_u8) % 512;
    wait * (768 + random as u32) / 1024
}
