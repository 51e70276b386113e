//! Rejected requests. All are counted by a metric, and some are reported as events.
//!
//! Any client can cause any number of rejections. So for each reason, at most [`EVENTS_PER_SECOND`]
//! rejections become events in each second. The `count` of the next event includes the ones that
//! were suppressed. Rejections are never written to the store.

use super::Hallpass;
use crate::actor::{Actor, Origin};
use crate::error::{Error, PermissionError};
use crate::event::{Event, EventKind, RejectReason};
use crate::owner::Owner;
use crate::token::TokenId;

/// The maximum number of events for one reason in one second.
const EVENTS_PER_SECOND: u32 = 50;

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
        self.metrics().count_rejection(reason);
        if self.0.settings.events.is_none() && !Event::is_rejection_traced() {
            return;
        }
        if let Some(count) = self.0.rejections[reason as usize].count(EVENTS_PER_SECOND) {
            let mut event = event();
            event.count = count;
            self.emit(&event);
        }
    }
}
