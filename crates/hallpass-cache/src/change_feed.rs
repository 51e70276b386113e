//! The task that follows the change log and renews the lease.
//!
//! It asks for everything from the position it knows, **including** the entry at that position.
//! That entry must be there with the same nonce, and the numbers after it must have no gap.
//! Otherwise the store has another history (a failover, a restored backup) or lost an entry, and
//! everything cached is void. A push only makes the task ask earlier: it may lie, repeat or be
//! lost.
//!
//! There is one more sign of another history: a number that this node has already seen must not be
//! above the head of the log that is read afterwards.
//!
//! The position survives the task. If the task ends (its runtime is gone, or it panicked), the next
//! load starts it again, and it goes on where it was: a history that forked meanwhile is noticed.

use std::collections::hash_map::RandomState;
use std::future::{Future as _, poll_fn};
use std::hash::BuildHasher as _;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;

use hallpass_core::store::{ChangeBatch, ChangeSeq, LogPosition, StoreError, TokenStore};
use jiff::Timestamp;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::dual_instant::DualInstant;
use crate::freshness::LogBatch;
use crate::inner::Inner;
use crate::metrics::Trigger;

/// The number of entries to ask for at once.
const BATCH: u32 = 1000;

/// The shortest time between two reads of the log, however many pushes arrive.
const MIN_PAUSE: Duration = Duration::from_millis(1);

/// Marks the follower as running until it is dropped: with the task, however that ends.
struct Running<S>(Weak<Inner<S>>);

impl<S> Drop for Running<S> {
    fn drop(&mut self) {
        if let Some(cache) = self.0.upgrade() {
            cache.is_following.store(false, Ordering::Release);
        }
    }
}

/// Starts the follower on the caller's runtime, unless it runs already.
pub(crate) fn ensure_running<S: TokenStore>(cache: &Arc<Inner<S>>) {
    if cache.is_following.load(Ordering::Relaxed) || cache.is_following.swap(true, Ordering::AcqRel)
    {
        return;
    }
    if cache.was_followed.swap(true, Ordering::Relaxed) {
        tracing::warn!(target: "hallpass", "change log follower ended, starting it again");
    }
    let running = Running(Arc::downgrade(cache));
    tokio::spawn(follow(running));
}

/// Follows the log until the cache is closed or dropped.
async fn follow<S: TokenStore>(running: Running<S>) {
    let mut trigger = Trigger::Poll;
    loop {
        let Some(cache) = running.0.upgrade() else { return };
        let asked = Instant::now();
        let lease = cache.lease.get();
        let wait = match catch_up(&cache, trigger).await {
            Ok(()) => {
                cache.metrics.lease_age(age(lease.or_else(|| cache.lease.get())));
                cache.settings.poll
            }
            Err(error) => {
                let lease_age = age(cache.lease.get());
                cache.metrics.lease_age(lease_age);
                // Nothing else is to be done: the lease runs out by itself.
                tracing::warn!(
                    target: "hallpass",
                    error = &error as &dyn std::error::Error,
                    ?lease_age,
                    "could not read the change log: cached tokens are used until max_staleness, no longer"
                );
                cache.settings.poll / 2
            }
        };
        match pause(&cache, with_jitter(wait)).await {
            Wake::Poll => trigger = Trigger::Poll,
            Wake::Push => {
                trigger = Trigger::Push;
                sleep_until(asked + MIN_PAUSE).await;
            }
            Wake::Closing => {
                // Again: this task may have been about to begin an epoch or to renew the lease when
                // the cache was closed.
                cache.void();
                return;
            }
        }
    }
}

fn age(lease: Option<DualInstant>) -> Option<Duration> {
    lease.map(|lease| lease.age(DualInstant::now()))
}

/// Why a pause ended.
enum Wake {
    Poll,
    Push,
    Closing,
}

async fn pause<S: TokenStore>(cache: &Inner<S>, wait: Duration) -> Wake {
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
        } else if asked_for.as_mut().poll(context).is_ready() {
            Poll::Ready(Wake::Push)
        } else {
            pushed.as_mut().poll(context).map(|()| Wake::Push)
        }
    })
    .await
}

/// Waits until the store reports that there is more after the known position.
async fn pushed<S: TokenStore>(cache: &Inner<S>) {
    let position = *cache.position.borrow();
    match position {
        Some(position) => cache.store.wait_for_change(position).await,
        None => std::future::pending().await,
    }
}

/// Applies everything that is new, and then renews the lease as of the instant before the log was
/// asked.
async fn catch_up<S: TokenStore>(cache: &Inner<S>, trigger: Trigger) -> Result<(), StoreError> {
    loop {
        let position = *cache.position.borrow();
        // Read before the log is asked: the head that is read afterwards must not be below it.
        let highest = cache.highest_seq.load(Ordering::Acquire);
        let asked_at = DualInstant::now();
        let changes = match ask(cache, position, BATCH).await {
            // An entry that cannot be read may be about anything.
            Err(error) if error.is_corrupt() && position.is_some() => {
                let head = ask(cache, None, 0).await?.head;
                if position != Some(head) {
                    tracing::error!(
                        target: "hallpass",
                        error = &error as &dyn std::error::Error,
                        "change log entry cannot be read: dropping everything cached"
                    );
                    start_over(cache, head);
                }
                // Everything up to the head is void by now, whatever the entry said.
                cache.lease.renew(asked_at);
                return Ok(());
            }
            changes => changes?,
        };
        if let Some(time) = changes.time {
            cache.metrics.clock_offset(cache.store_clock.learn(time, Timestamp::now()));
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
                "change log has another history, after a failover, a restored backup or too long a pause: \
                 dropping everything cached"
            );
            start_over(cache, changes.head);
            continue;
        }
        let Some(_) = position else {
            batch.head(changes.head.seq);
            cache.position.send_replace(Some(changes.head));
            return Ok(());
        };
        // The first entry is the one that was read last.
        cache.metrics.changes_applied(trigger, changes.entries.len().saturating_sub(1));
        let last = changes.entries.last().map_or(changes.head, |entry| entry.position);
        let are_last = changes.entries.len() < BATCH as usize || last == changes.head;
        batch.entries(&changes.entries, are_last);
        cache.position.send_replace(Some(last));
        if are_last {
            return Ok(());
        }
    }
}

/// Asks the log, for no longer than an answer would be of use.
async fn ask<S: TokenStore>(
    cache: &Inner<S>,
    from: Option<LogPosition>,
    limit: u32,
) -> Result<ChangeBatch, StoreError> {
    let asked = timeout(cache.settings.max_staleness, cache.store.changes(from, limit));
    asked.await.map_err(StoreError::unavailable)?
}

/// Voids everything that is cached, and follows the log from its head on.
fn start_over<S>(cache: &Inner<S>, head: LogPosition) {
    cache.metrics.flushed();
    cache.lease.drop_lease();
    // Before the epoch begins: a number of the old history that is noted later is noticed next time.
    cache.highest_seq.store(0, Ordering::Release);
    cache.invalidation.begin_epoch(head.seq);
    cache.position.send_replace(Some(head));
}

/// Returns whether these entries continue the same history from `from`, without a gap.
fn continues(changes: &ChangeBatch, from: LogPosition) -> bool {
    let Some(first) = changes.entries.first() else {
        // The entry at the position may have been pruned; the head still tells.
        return changes.head == from;
    };
    // An empty log has no entry at its position. Its first entry continues it, whichever history that
    // is from: nothing but absences can have been read at number 0, and each later entry voids its own.
    let begins = from.seq == ChangeSeq::ZERO && first.position.seq == ChangeSeq::ZERO.next();
    let mut pairs = changes.entries.windows(2);
    (first.position == from || begins)
        && pairs.all(|two| two[0].position.seq.next() == two[1].position.seq)
}

/// Makes a pause up to a quarter shorter or longer, so that nodes do not ask in step.
fn with_jitter(wait: Duration) -> Duration {
    let random = RandomState::new().hash_one(0_u8) % 512;
    wait * (768 + random as u32) / 1024
}
