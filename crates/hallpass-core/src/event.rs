use jiff::Timestamp;

use crate::owner::Owner;
use crate::token::TokenId;

/// Something that happened, with who, what and when. It never holds a secret or a digest.
///
/// Every event goes to `tracing` (target `hallpass`) and to the host's [`EventSink`], if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// Who did it: the caller, or the token's owner for what the token did itself.
    pub actor: Option<Owner>,
    /// The token, where it is about one.
    pub token: Option<TokenId>,
    /// Whose tokens, where it is known.
    pub owner: Option<Owner>,
    /// How many tokens: 1 but for what is done to several at once, all of an owner's or a prune.
    pub count: u64,
    /// When.
    pub at: Timestamp,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A new token.
    Issued,
    /// A new token with an existing one's name, description, scopes and expiry.
    Copied,
    /// Name, description, scopes or expiry were changed.
    Updated,
    /// A new secret for an existing token.
    Regenerated,
    /// The previous secret was shut out at the new one's first use.
    GracePeriodEnded,
    /// A token was taken back.
    Revoked,
    /// A token is gone.
    Deleted,
    /// Long-ended tokens were removed.
    Pruned,
    /// An admin looked at tokens that are not their own.
    ViewedAcrossOwners,
    /// What an owner may do changed: the host said so.
    OwnerChanged,
    /// A token was presented and refused. Why is in `Rejected`'s reason.
    Rejected(RejectReason),
}

impl EventKind {
    /// The name used in logs: `issued`, `rejected`, ...
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Copied => "copied",
            Self::Updated => "updated",
            Self::Regenerated => "regenerated",
            Self::GracePeriodEnded => "grace_period_ended",
            Self::Revoked => "revoked",
            Self::Deleted => "deleted",
            Self::Pruned => "pruned",
            Self::ViewedAcrossOwners => "viewed_across_owners",
            Self::OwnerChanged => "owner_changed",
            Self::Rejected(_) => "rejected",
        }
    }
}

/// Why a presented token was refused: for the operator. The client is told one and the same for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectReason {
    /// Not a token of this application: wrong prefix, shape or checksum.
    Malformed,
    /// No such token, or not its secret.
    Unknown,
    /// The token was taken back.
    Revoked,
    /// The token's time is over.
    Expired,
    /// The owner is disabled.
    OwnerDisabled,
    /// A credential came in a query where only the header is allowed.
    InUrl,
}

impl RejectReason {
    /// The name used in logs: `malformed`, `unknown`, ...
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::OwnerDisabled => "owner_disabled",
            Self::InUrl => "token_in_url",
        }
    }
}

/// Where a host receives events, for its audit trail. A closure will do.
///
/// It is called on the task that did the thing, after it is done: hand over and return.
pub trait EventSink: Send + Sync + 'static {
    /// Takes one event.
    fn on_event(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync + 'static> EventSink for F {
    fn on_event(&self, event: &Event) {
        self(event);
    }
}

impl Event {
    pub(crate) fn new(kind: EventKind, at: Timestamp) -> Self {
        Self { kind, actor: None, token: None, owner: None, count: 1, at }
    }

    /// Whether anybody reads what [`trace`](Self::trace) says of refusals.
    pub(crate) fn is_refusal_traced() -> bool {
        tracing::enabled!(target: "hallpass", tracing::Level::DEBUG)
    }

    /// To `tracing`. `Debug` of the texts escapes control characters, so no log line can be forged.
    pub(crate) fn trace(&self) {
        let reason = match self.kind {
            EventKind::Rejected(reason) => Some(reason.as_str()),
            _ => None,
        };
        let (actor, owner) = (
            self.actor.as_ref().map(tracing::field::debug),
            self.owner.as_ref().map(tracing::field::debug),
        );
        let token = self.token.as_ref().map(tracing::field::display);
        if let EventKind::Rejected(_) = self.kind {
            tracing::debug!(target: "hallpass", event = self.kind.as_str(), reason, token, owner, "token refused");
        } else {
            tracing::info!(target: "hallpass", event = self.kind.as_str(), actor, token, owner, count = self.count, "token lifecycle");
        }
    }
}
