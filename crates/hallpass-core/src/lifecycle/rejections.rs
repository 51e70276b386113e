//! Rejected requests: counted always, reported as events up to a limit.
//!
//! Strangers can cause any number of rejections. So at most [`EVENTS_PER_SECOND`] of them a second
//! and reason become events; the next event says with its `count` how many it stands for. None is
//! written to the store.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Hallpass;
use crate::actor::{Actor, Origin};
use crate::error::{Error, PermissionError};
use crate::event::{Event, EventKind, RejectReason};
use crate::owner::Owner;
use crate::token::TokenId;

/// How many rejections of one reason become events in one second.
const EVENTS_PER_SECOND: u32 = 50;

/// Counts recent rejections by reason.
#[derive(Debug, Default)]
pub(super) struct RejectionThrottle(Mutex<[Window; RejectReason::ALL.len()]>);

/// The rejections of one reason in the current second.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    started: Option<Instant>,
    reported: u32,
    suppressed: u64,
}

impl RejectionThrottle {
    /// Counts a rejection. Returns the `count` of the event to report, if one may be reported.
    fn count(&self, reason: RejectReason, now: Instant) -> Option<u64> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let window = &mut windows[reason as usize];
        let is_over = |started| now.duration_since(started) >= Duration::from_secs(1);
        if window.started.is_none_or(is_over) {
            window.started = Some(now);
            window.reported = 0;
        }
        if window.reported >= EVENTS_PER_SECOND {
            window.suppressed += 1;
            return None;
        }
        window.reported += 1;
        Some(1 + std::mem::take(&mut window.suppressed))
    }
}

impl Hallpass {
    /// Reports that a request was rejected, for integrations that enforce rules of their own. The
    /// rejection is counted, and becomes an event with its origin unless there are too many.
    pub fn report_rejection(
        &self,
        reason: RejectReason,
        owner: Option<&Owner>,
        token_id: Option<TokenId>,
        origin: &Origin,
    ) {
        self.reject(reason, || {
            let mut event = Event::new(EventKind::Rejected(reason), self.now());
            event.owner = owner.cloned();
            event.token_id = token_id;
            event.origin = origin.clone();
            event
        });
    }

    /// Reports that an actor asked for something that they may not have, and returns the error.
    pub(super) fn rejected_actor(
        &self,
        by: &Actor,
        reason: RejectReason,
        token_id: Option<TokenId>,
        error: Error,
    ) -> Error {
        self.reject(reason, || {
            let mut event = self.event(EventKind::Rejected(reason), by);
            event.token_id = token_id;
            event
        });
        error
    }

    /// Reports and returns that an actor may not do something.
    pub(super) fn not_permitted(
        &self,
        by: &Actor,
        token_id: Option<TokenId>,
        error: PermissionError,
    ) -> Error {
        self.rejected_actor(by, RejectReason::NotPermitted, token_id, error.into())
    }

    /// Counts a rejection, and reports it if somebody listens and there are not too many.
    fn reject(&self, reason: RejectReason, event: impl FnOnce() -> Event) {
        self.metrics().rejection(reason);
        if self.0.events.is_none() && !Event::is_rejection_traced() {
            return;
        }
        if let Some(count) = self.0.rejections.count(reason, Instant::now()) {
            let mut event = event();
            event.count = count;
            self.emit(&event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_reported_in_few_events_that_count_all() {
        let throttle = RejectionThrottle::default();
        let start = Instant::now();
        let reported = (0..10_000).filter_map(|_| throttle.count(RejectReason::Unknown, start));
        assert_eq!(reported.collect::<Vec<_>>(), [1; EVENTS_PER_SECOND as usize]);
        assert_eq!(throttle.count(RejectReason::Revoked, start), Some(1), "apart from others");
        let later = start + Duration::from_secs(1);
        assert_eq!(throttle.count(RejectReason::Unknown, later), Some(9_951));
        assert_eq!(throttle.count(RejectReason::Unknown, later), Some(1));
    }
}
