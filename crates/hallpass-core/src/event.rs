//! Events: who did what, when, and from where.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::actor::{Actor, Origin};
use crate::field_change::{self, FieldChange};
use crate::owner::Owner;
use crate::record::TokenRecord;
use crate::token::TokenId;

/// An event in the life of tokens, such as an issue, a revocation or a rejected request.
///
/// An event never contains a secret or a digest. The event of a change is written to the store's
/// log in the same transaction as the change ([`EventKind::is_recorded`]). Every event also goes to
/// `tracing` (target `hallpass`) and to the host's [`EventSink`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Event {
    /// The kind of event.
    pub kind: EventKind,
    /// The time of the event.
    pub at: Timestamp,
    /// The id of the actor. If a use of a token caused the event, it is the token's owner. If the
    /// client is unknown, it is `None`.
    pub actor: Option<Owner>,
    /// The owner of the tokens, if it is known and all tokens have the same owner.
    pub owner: Option<Owner>,
    /// The token, if the event is about a single one.
    pub token_id: Option<TokenId>,
    /// The number of tokens that the event is about.
    pub count: u64,
    /// The origin of the request.
    pub origin: Origin,
    /// The fields that changed.
    pub changes: Vec<FieldChange>,
}

/// The kind of an [`Event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum EventKind {
    /// A token was issued.
    Issued,
    /// A token was issued as a copy of another one.
    Copied,
    /// The name, description, scopes, expiry or metadata of a token was changed.
    Updated,
    /// A token got a new secret.
    Regenerated,
    /// The previous secret of a token stopped working.
    GracePeriodEnded,
    /// A digest was computed again with the current algorithm or pepper. The secret is the same.
    DigestReplaced,
    /// A token was revoked.
    Revoked,
    /// A token was deleted.
    Deleted,
    /// Tokens that expired or were revoked some time ago were deleted.
    Pruned,
    /// The host reported that an owner's permissions changed.
    OwnerChanged,
    /// An admin read tokens of another owner. The store does not record this kind.
    ViewedAcrossOwners,
    /// A request was rejected. The store does not record this kind.
    Rejected(RejectReason),
}

impl EventKind {
    /// Every kind that a store records.
    pub const RECORDED: [Self; 10] = [
        Self::Issued,
        Self::Copied,
        Self::Updated,
        Self::Regenerated,
        Self::GracePeriodEnded,
        Self::DigestReplaced,
        Self::Revoked,
        Self::Deleted,
        Self::Pruned,
        Self::OwnerChanged,
    ];

    /// Returns the name used in logs, in the audit trail and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Copied => "copied",
            Self::Updated => "updated",
            Self::Regenerated => "regenerated",
            Self::GracePeriodEnded => "grace_period_ended",
            Self::DigestReplaced => "digest_replaced",
            Self::Revoked => "revoked",
            Self::Deleted => "deleted",
            Self::Pruned => "pruned",
            Self::OwnerChanged => "owner_changed",
            Self::ViewedAcrossOwners => "viewed_across_owners",
            Self::Rejected(_) => "rejected",
        }
    }

    /// Returns whether a store records events of this kind.
    #[must_use]
    pub const fn is_recorded(self) -> bool {
        !matches!(self, Self::ViewedAcrossOwners | Self::Rejected(_))
    }
}

/// The error for a text that is not the name of a recorded event kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown event kind: expected one of {}",
    EventKind::RECORDED.map(EventKind::as_str).join(", ")
)]
pub struct EventKindError(());

/// Parses the name of a kind that a store records.
impl FromStr for EventKind {
    type Err = EventKindError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::RECORDED.into_iter().find(|kind| kind.as_str() == text).ok_or(EventKindError(()))
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The reason why a request was rejected.
///
/// The reason is for the operator. A client that presents an invalid token gets the same response
/// whatever the reason is, so that it cannot probe for tokens.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use hallpass_core::{AuthError, Hallpass, RejectReason};
/// # use hallpass_memory::MemoryStore;
///
/// let hallpass = Hallpass::builder(MemoryStore::new()).build();
/// let Err(AuthError::Rejected(reason)) = hallpass.authenticate(b"hp_abc").await else { panic!() };
/// assert_eq!(reason, RejectReason::Malformed);
/// assert_eq!(reason.as_str(), "malformed", "the name in logs and metrics");
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum RejectReason {
    /// The text is not a token of this application: wrong prefix, shape or checksum.
    Malformed,
    /// There is no such token, or the secret is wrong.
    Unknown,
    /// The token is revoked.
    Revoked,
    /// The token has expired.
    Expired,
    /// The owner is disabled.
    OwnerDisabled,
    /// The token was sent in the URL's query, but the route accepts it only in a header.
    TokenInUrl,
    /// The token is valid but lacks a scope that the route requires.
    InsufficientScope,
    /// The actor lacks a permission: see [`PermissionError`](crate::PermissionError).
    NotPermitted,
    /// The actor requested a token that does not exist or belongs to another owner.
    NotFound,
    /// A change that a cookie authenticated came from another site.
    CrossSite,
    /// A change was sent without a confirmation, or with a wrong one.
    NotConfirmed,
    /// A token was presented to an API that does not accept tokens.
    TokenNotAccepted,
}

impl RejectReason {
    /// All reasons, in the order of their declaration.
    pub const ALL: [Self; 12] = [
        Self::Malformed,
        Self::Unknown,
        Self::Revoked,
        Self::Expired,
        Self::OwnerDisabled,
        Self::TokenInUrl,
        Self::InsufficientScope,
        Self::NotPermitted,
        Self::NotFound,
        Self::CrossSite,
        Self::NotConfirmed,
        Self::TokenNotAccepted,
    ];

    /// Returns the name used in logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::OwnerDisabled => "owner_disabled",
            Self::TokenInUrl => "token_in_url",
            Self::InsufficientScope => "insufficient_scope",
            Self::NotPermitted => "not_permitted",
            Self::NotFound => "not_found",
            Self::CrossSite => "cross_site",
            Self::NotConfirmed => "not_confirmed",
            Self::TokenNotAccepted => "token_not_accepted",
        }
    }
}

/// A receiver of events in the host's program. Every `Fn(&Event)` closure implements it.
///
/// The sink is called after the commit, on the task that made the change. It should return quickly:
/// send the event to a channel if handling it takes time.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), hallpass_core::Error> {
/// use hallpass_core::{Actor, Event, Hallpass, NewToken};
/// # use hallpass_memory::MemoryStore;
///
/// let (sender, receiver) = std::sync::mpsc::channel();
/// let hallpass = Hallpass::builder(MemoryStore::new())
///     .events(move |event: &Event| { let _ = sender.send(event.kind.as_str()); })
///     .build();
/// let _ = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await?;
/// assert_eq!(receiver.try_recv(), Ok("issued"));
/// # Ok(()) }
/// ```
pub trait EventSink: Send + Sync + 'static {
    /// Handles one event.
    fn on_event(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync + 'static> EventSink for F {
    fn on_event(&self, event: &Event) {
        self(event);
    }
}

impl Event {
    /// Creates an event with a kind, a time and a count of 1. A store uses it to read its log.
    #[must_use]
    pub fn new(kind: EventKind, at: Timestamp) -> Self {
        Self {
            kind,
            at,
            actor: None,
            owner: None,
            token_id: None,
            count: 1,
            origin: Origin::default(),
            changes: Vec::new(),
        }
    }

    /// Creates an event that an actor caused, with the actor's origin.
    pub(crate) fn by(actor: &Actor, kind: EventKind, at: Timestamp) -> Self {
        Self {
            actor: Some(actor.id().clone()),
            origin: actor.origin().clone(),
            ..Self::new(kind, at)
        }
    }

    /// Sets the owner and the token that the event is about.
    pub(crate) fn about(mut self, owner: &Owner, token_id: Option<TokenId>) -> Self {
        self.owner = Some(owner.clone());
        self.token_id = token_id;
        self
    }

    /// Sets the token that the event is about, and its changed fields. `None` stands for a token
    /// that does not exist before or after the change.
    pub(crate) fn about_change(
        self,
        before: Option<&TokenRecord>,
        after: Option<&TokenRecord>,
    ) -> Self {
        let Some(record) = after.or(before) else { return self };
        let mut event = self.about(&record.owner, Some(record.id));
        event.changes = field_change::between(before, after);
        event
    }

    /// Returns whether a `tracing` subscriber records rejections.
    pub(crate) fn is_rejection_traced() -> bool {
        tracing::enabled!(target: "hallpass", tracing::Level::DEBUG)
    }

    /// Writes the event to `tracing`. Texts are escaped, so that an owner's id cannot forge a log
    /// line.
    pub(crate) fn trace(&self) {
        let (actor, owner) = (
            self.actor.as_ref().map(tracing::field::debug),
            self.owner.as_ref().map(tracing::field::debug),
        );
        let token = self.token_id.as_ref().map(tracing::field::display);
        let ip = self.origin.ip_addr();
        let ip = ip.as_ref().map(tracing::field::display);
        let event = self.kind.as_str();
        if let EventKind::Rejected(reason) = self.kind {
            let reason = reason.as_str();
            tracing::debug!(target: "hallpass", event, reason, token, owner, ip, "request rejected");
        } else {
            let count = self.count;
            tracing::info!(target: "hallpass", event, actor, token, owner, count, ip, "token lifecycle");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reason is an index of the counters that limit the rate of rejection events. With a new
    /// reason, this does not compile until the list here is complete.
    #[test]
    fn list_of_reject_reasons_is_complete_and_in_their_order() {
        let number = |reason: &RejectReason| match reason {
            RejectReason::Malformed => 0,
            RejectReason::Unknown => 1,
            RejectReason::Revoked => 2,
            RejectReason::Expired => 3,
            RejectReason::OwnerDisabled => 4,
            RejectReason::TokenInUrl => 5,
            RejectReason::InsufficientScope => 6,
            RejectReason::NotPermitted => 7,
            RejectReason::NotFound => 8,
            RejectReason::CrossSite => 9,
            RejectReason::NotConfirmed => 10,
            RejectReason::TokenNotAccepted => 11,
        };
        assert!(RejectReason::ALL.iter().map(number).eq(0..RejectReason::ALL.len()));
        for (index, reason) in RejectReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index, "{reason:?}");
        }
    }
}
