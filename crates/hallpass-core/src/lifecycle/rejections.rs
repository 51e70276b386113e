//! Rejected requests. All are counted by a metric, and some are reported as events.
//!
//! Any client can cause any number of rejections. So for each reason, at most [`EVENTS_PER_SECOND`]
//! rejections become events in each second. The `count` of the next event includes the ones that
//! were suppressed. Rejections are never written to the store.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Hallpass;
use crate::actor::{Actor, Origin};
use crate::error::{Error, PermissionError};
use crate::event::{Event, EventKind, RejectReason};
use crate::owner::Owner;
use crate::token::TokenId;

/// The maximum number of events for one reason in one second.
const EVENTS_PER_SECOND: u32 = 50;

/// A limit on the events about rejections, for each reason.
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
    /// Reports that a request was rejected. An integration calls this if it enforces its own rules.
    ///
    /// The rejection is counted. It becomes an event unless there are too many.
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

    /// Reports that the request of an actor was rejected, and returns the error.
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

    /// Reports that an actor lacks a permission, and returns the error.
    pub(super) fn not_permitted(
        &self,
        by: &Actor,
        token_id: Option<TokenId>,
        error: PermissionError,
    ) -> Error {
        self.rejected_actor(by, RejectReason::NotPermitted, token_id, error.into())
    }

    /// Counts a rejection. Reports it if there is a receiver and there are not too many.
    fn reject(&self, reason: RejectReason, event: impl FnOnce() -> Event) {
        self.metrics().rejection(reason);
        if self.0.settings.events.is_none() && !Event::is_rejection_traced() {
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
    fn flood_is_reported_in_few_events_that_count_all() {
        let throttle = RejectionThrottle::default();
        let start = Instant::now();
        let reported = (0..10_000).filter_map(|_| throttle.count(RejectReason::Unknown, start));
        assert_eq!(reported.collect::<Vec<_>>(), [1; EVENTS_PER_SECOND as usize]);
        assert_eq!(
            throttle.count(RejectReason::Revoked, start),
            Some(1),
            "reasons must be counted separately"
        );
        let later = start + Duration::from_secs(1);
        assert_eq!(throttle.count(RejectReason::Unknown, later), Some(9_951));
        assert_eq!(throttle.count(RejectReason::Unknown, later), Some(1));
    }
}
