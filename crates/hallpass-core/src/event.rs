//! Events: what happened, who did it, when, and from where.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::actor::{Actor, Origin};
use crate::field_change::{self, FieldChange};
use crate::owner::Owner;
use crate::record::TokenRecord;
use crate::token::TokenId;

/// Something that happened. It never contains a secret or a digest.
///
/// An event that changes something is written to the store's log in the same transaction as the
/// change ([`EventKind::is_recorded`]). Every event also goes to `tracing` (target `hallpass`) and
/// to the host's [`EventSink`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it: the actor, or the token's owner if the token itself caused it. `None` if the
    /// client is unknown.
    pub actor: Option<Owner>,
    /// Whose tokens it is about, if that is known.
    pub owner: Option<Owner>,
    /// Which token it is about, if it is about one.
    pub token_id: Option<TokenId>,
    /// How many tokens it is about.
    pub count: u64,
    /// Where the request came from.
    pub origin: Origin,
    /// Which fields changed.
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
    /// Name, description, scopes, expiry or metadata were changed.
    Updated,
    /// A token got a new secret.
    Regenerated,
    /// The previous secret stopped working.
    GracePeriodEnded,
    /// A digest was computed anew, with the current algorithm or pepper. The secret is the same.
    DigestReplaced,
    /// A token was revoked.
    Revoked,
    /// A token was deleted.
    Deleted,
    /// Tokens that ended long ago were deleted.
    Pruned,
    /// The host reported that an owner's permissions changed.
    OwnerChanged,
    /// An admin read tokens of somebody else. Not recorded in the store.
    ViewedAcrossOwners,
    /// A request was rejected. Not recorded in the store.
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

/// The text is not the name of an event kind that a store records.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown event kind: expected one of {}", EventKindError::NAMES)]
pub struct EventKindError(());

impl EventKindError {
    const NAMES: &str = "issued, copied, updated, regenerated, grace_period_ended, \
         digest_replaced, revoked, deleted, pruned, owner_changed";
}

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

/// Why a request was rejected. For the operator: a client that presents a bad token always gets the
/// same answer.
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
    /// The token was sent in the query, where only the header is accepted.
    #[cfg_attr(feature = "serde", serde(rename = "token_in_url"))]
    InUrl,
    /// The token is valid but lacks a scope that the route requires.
    InsufficientScope,
    /// The actor may not do this: see [`PermissionError`](crate::PermissionError).
    NotPermitted,
    /// The actor asked for a token that does not exist or belongs to somebody else.
    NotFound,
    /// A change that a cookie authenticated came from another site.
    CrossSite,
    /// A change was sent without a confirmation, or with a wrong one.
    NotConfirmed,
    /// A token was presented to an API that does not accept tokens.
    TokenNotAccepted,
}

impl RejectReason {
    /// Every reason, in the order of declaration.
    pub const ALL: [Self; 12] = [
        Self::Malformed,
        Self::Unknown,
        Self::Revoked,
        Self::Expired,
        Self::OwnerDisabled,
        Self::InUrl,
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
            Self::InUrl => "token_in_url",
            Self::InsufficientScope => "insufficient_scope",
            Self::NotPermitted => "not_permitted",
            Self::NotFound => "not_found",
            Self::CrossSite => "cross_site",
            Self::NotConfirmed => "not_confirmed",
            Self::TokenNotAccepted => "token_not_accepted",
        }
    }
}

/// Receives events in the host's program. A closure works too.
///
/// It is called on the task that made the change, after the commit. Return quickly: hand the event
/// over to a channel if handling it takes time.
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
    /// Creates an event about nothing in particular. A store uses this to read its log.
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

    /// Creates an event that an actor caused.
    pub(crate) fn by(actor: &Actor, kind: EventKind, at: Timestamp) -> Self {
        Self {
            actor: Some(actor.id().clone()),
            origin: actor.origin().clone(),
            ..Self::new(kind, at)
        }
    }

    /// Sets whose token, and which token, the event is about.
    pub(crate) fn about(mut self, owner: &Owner, token_id: Option<TokenId>) -> Self {
        self.owner = Some(owner.clone());
        self.token_id = token_id;
        self
    }

    /// Sets the token, and how it changed. `None` stands for a token that does not exist.
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

    /// Returns whether anybody reads what [`trace`](Self::trace) writes about rejections.
    pub(crate) fn is_rejection_traced() -> bool {
        tracing::enabled!(target: "hallpass", tracing::Level::DEBUG)
    }

    /// Writes the event to `tracing`. Texts are escaped, so that no log line can be forged.
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
