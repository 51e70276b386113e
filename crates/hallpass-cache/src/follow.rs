//! The task that follows the change log and renews the lease.

use std::collections::hash_map::RandomState;
use std::future::{Future as _, poll_fn};
use std::hash::BuildHasher as _;
use std::pin::pin;
use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use hallpass_core::store::{ChangeBatch, LogPosition, StoreError, TokenStore};
use jiff::Timestamp;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::guards::Guards;
use crate::inner::Inner;
use crate::measure::By;
use crate::moment::Moment;
use crate::order::Learned;

/// How many lines are asked for at once.
pub(crate) const LINES: u32 = 1000;

/// Nudges may lie and repeat: however many come, the log is not asked more often.
const SHORTEST: Duration = Duration::from_millis(1);

/// Clears the mark that the log is followed, whatever ends the task: a panic, or the end of its
/// runtime. The next load then starts another one.
struct FollowingMark<S>(Weak<Inner<S>>);

impl<S> Drop for FollowingMark<S> {
    fn drop(&mut self) {
        if let Some(cache) = self.0.upgrade() {
            cache.following.store(false, Ordering::SeqCst);
        }
    }
}

/// Follows the change log until the cache is closed or dropped.
///
/// A task that was started again knows nothing of the history that the one before it followed: it
/// begins a new one, so that nothing from before is usable.
pub(crate) async fn follow<S: TokenStore>(cache: Weak<Inner<S>>, started_again: bool) {
    let _mark = FollowingMark(Weak::clone(&cache));
    let (mut place, mut by) = (None, By::Poll);
    let mut begin_anew = started_again;
    loop {
        let Some(cache) = cache.upgrade() else { return };
        let asked = Instant::now();
        let lease = cache.lease.get();
        if begin_anew && let Ok(changes) = ask(&cache, None, 0).await {
            start_over(&cache, &mut place, changes.head);
            begin_anew = false;
        }
        let wait = match catch_up(&cache, &mut place, by).await {
            Ok(()) => {
                cache.measure.lease_age(age(lease.or_else(|| cache.lease.get())));
                cache.settings.poll
            }
            Err(error) => {
                let lease_age = age(cache.lease.get());
                cache.measure.lease_age(lease_age);
                // The lease runs out by itself; nothing else is to be done.
                tracing::warn!(
                    target: "hallpass",
                    error = &error as &dyn std::error::Error,
                    ?lease_age,
                    "the change log could not be read: cached tokens are used until the bound, no longer"
                );
                cache.settings.poll / 2
            }
        };
        match pause(&cache, place, with_jitter(wait)).await {
            Pause::Over => by = By::Poll,
            Pause::Nudged => {
                by = By::Nudge;
                sleep_until(asked + SHORTEST).await;
            }
            Pause::Closing => {
                // Once more: this task may have been about to begin a history or to renew the lease.
                cache.void();
                return;
            }
        }
    }
}

fn age(lease: Option<Moment>) -> Option<Duration> {
    lease.map(|lease| lease.age(Moment::now()))
}

/// Why the log is looked at again, or no more.
enum Pause {
    Over,
    Nudged,
    Closing,
}

async fn pause<S: TokenStore>(
    cache: &Inner<S>,
    place: Option<LogPosition>,
    wait: Duration,
) -> Pause {
    let mut closing = cache.closing.subscribe();
    let mut closed = pin!(closing.wait_for(|closing| *closing));
    let mut nudged = pin!(nudged(cache, place));
    let mut over = pin!(sleep(wait));
    let mut woken = pin!(cache.wake.notified());
    poll_fn(|context| {
        if closed.as_mut().poll(context).is_ready() {
            Poll::Ready(Pause::Closing)
        } else if over.as_mut().poll(context).is_ready() {
            Poll::Ready(Pause::Over)
        } else if woken.as_mut().poll(context).is_ready() {
            Poll::Ready(Pause::Nudged)
        } else {
            nudged.as_mut().poll(context).map(|()| Pause::Nudged)
        }
    })
    .await
}

/// Until the store says that there is more after that place.
async fn nudged<S: TokenStore>(cache: &Inner<S>, place: Option<LogPosition>) {
    match place {
        Some(place) => cache.store.wait_for_change(place).await,
        None => std::future::pending().await,
    }
}

/// Applies everything that is new, and only then renews the lease, as of before it was asked for.
async fn catch_up<S: TokenStore>(
    cache: &Inner<S>,
    place: &mut Option<LogPosition>,
    by: By,
) -> Result<(), StoreError> {
    loop {
        let mut asked_at = Moment::now();
        let changes = match ask(cache, *place, LINES).await {
            // A line that nobody can read may be about anything.
            Err(error) if error.is_corrupt() && place.is_some() => {
                let head = ask(cache, None, 0).await?.head;
                if *place != Some(head) {
                    tracing::error!(
                        target: "hallpass",
                        error = &error as &dyn std::error::Error,
                        "the change log holds a line that cannot be read: everything cached is void"
                    );
                    start_over(cache, place, head);
                }
                // Everything up to the head is void by now, whatever the line said.
                cache.lease.renew(asked_at);
                return Ok(());
            }
            changes => changes?,
        };
        if !cache.settings.guards.asked_first() {
            asked_at = Moment::now();
        }
        if let Some(time) = changes.time {
            cache.measure.clock_offset(cache.store_clock.learn(time, Timestamp::now()));
        }
        let Inner { stripes, lease, settings, .. } = cache;
        let learned = Learned { lease, stripes, settings, asked_at };
        match *place {
            None => {
                learned.head(changes.head.seq);
                cache.applied.send_replace(changes.head.seq);
                *place = Some(changes.head);
                return Ok(());
            }
            Some(from) if continues(&changes, from, settings.guards) => {
                // The first is the one that was read last.
                cache.measure.changes_applied(by, changes.entries.len().saturating_sub(1));
                let last = changes.entries.last().map_or(changes.head, |entry| entry.position);
                let are_last = changes.entries.len() < LINES as usize || last == changes.head;
                learned.entries(&changes.entries, are_last);
                cache.applied.send_replace(last.seq);
                *place = Some(last);
                if are_last {
                    return Ok(());
                }
            }
            Some(from) => {
                tracing::error!(
                    target: "hallpass",
                    last = from.seq.get(),
                    head = changes.head.seq.get(),
                    "the change log does not go on where it was: a failover, or this node was too far behind. \
                     Everything cached is void"
                );
                start_over(cache, place, changes.head);
            }
        }
    }
}

/// Asks the log, for no longer than an answer is of use.
async fn ask<S: TokenStore>(
    cache: &Inner<S>,
    from: Option<LogPosition>,
    limit: u32,
) -> Result<ChangeBatch, StoreError> {
    let asked = timeout(cache.settings.max_staleness, cache.store.changes(from, limit));
    asked.await.map_err(StoreError::unavailable)?
}

/// Voids everything that is cached, and follows the log from its head on.
fn start_over<S>(cache: &Inner<S>, place: &mut Option<LogPosition>, head: LogPosition) {
    cache.measure.flushed();
    cache.lease.give_up();
    cache.stripes.begin_history(head.seq);
    cache.applied.send_replace(head.seq);
    *place = Some(head);
}

/// Whether these lines go on from that place in the same history, without a gap.
fn continues(changes: &ChangeBatch, from: LogPosition, guards: Guards) -> bool {
    let is_the_same =
        |place: LogPosition| place == from || (place.seq == from.seq && !guards.nonce());
    let Some(first) = changes.entries.first() else {
        // The place's own line may have been trimmed; the head still tells.
        return is_the_same(changes.head);
    };
    let gapless =
        changes.entries.windows(2).all(|two| two[0].position.seq.next() == two[1].position.seq);
    is_the_same(first.position) && (gapless || !guards.gapless())
}

/// A quarter less to a quarter more, so that nodes do not ask in step.
fn with_jitter(wait: Duration) -> Duration {
    let random = RandomState::new().hash_one(0_u8) % 512;
    wait * (768 + random as u32) / 1024
}
