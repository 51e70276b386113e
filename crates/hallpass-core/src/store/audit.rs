//! The change log as the audit trail shows it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ChangeSeq;
use crate::actor::Origin;
use crate::event::{Event, EventKind};
use crate::field_change::FieldChange;
use crate::owner::Owner;
use crate::token::TokenId;

/// One entry of the audit trail: an event with its sequence number.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct AuditEntry {
    /// The sequence number in the log. Later changes have higher numbers, and no number is missing.
    pub seq: ChangeSeq,
    /// The event.
    pub event: Event,
}

impl AuditEntry {
    /// Creates an entry.
    #[must_use]
    pub fn new(seq: ChangeSeq, event: Event) -> Self {
        Self { seq, event }
    }
}

/// A query for one page of the audit trail. An entry is selected if all filters match.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditQuery {
    /// Entries about this owner's tokens.
    pub owner: Option<Owner>,
    /// Entries about this token.
    pub token_id: Option<TokenId>,
    /// Entries of this kind.
    pub kind: Option<EventKind>,
    /// Entries written at this time or later.
    pub since: Option<Timestamp>,
    /// Entries written before this time.
    pub until: Option<Timestamp>,
    /// The entries that come after this number in the chosen order.
    pub after: Option<ChangeSeq>,
    /// The order: the oldest entry first if `true`, the newest entry first if `false`.
    pub ascending: bool,
    /// The maximum number of entries.
    pub limit: u32,
}

impl AuditQuery {
    /// Selects the newest entries, at most `limit` of them.
    #[must_use]
    pub fn newest(limit: u32) -> Self {
        Self {
            owner: None,
            token_id: None,
            kind: None,
            since: None,
            until: None,
            after: None,
            ascending: false,
            limit,
        }
    }

    /// Returns whether the filters match an entry. The position and the limit are not checked.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        self.owner.as_ref().is_none_or(|owner| event.owner.as_ref() == Some(owner))
            && self.token_id.is_none_or(|id| event.token_id == Some(id))
            && self.kind.is_none_or(|kind| event.kind == kind)
            && self.since.is_none_or(|since| event.at >= since)
            && self.until.is_none_or(|until| event.at < until)
    }
}

/// One page of the audit trail.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditPage {
    /// The entries, in the requested order.
    pub entries: Vec<AuditEntry>,
    /// Whether more entries follow.
    pub more: bool,
}

/// The parts of an [`Event`] that no query filters by. A store keeps them as one JSON text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct EventDetails {
    #[serde(default, skip_serializing_if = "is_default")]
    origin: Origin,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<FieldChange>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Event {
    /// Returns the origin and the changed fields as JSON text. The text is empty if there are none.
    #[must_use]
    pub fn details_json(&self) -> String {
        let details = EventDetails { origin: self.origin.clone(), changes: self.changes.clone() };
        if details == EventDetails::default() {
            return String::new();
        }
        // Serializing strings and JSON values cannot fail.
        serde_json::to_string(&details).unwrap_or_default()
    }

    /// Sets the origin and the changed fields from the text that
    /// [`details_json`](Self::details_json) returned.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is neither empty nor such a JSON text.
    pub fn with_details_json(mut self, json: &str) -> Result<Self, serde_json::Error> {
        if !json.is_empty() {
            let details: EventDetails = serde_json::from_str(json)?;
            self.origin = details.origin;
            self.changes = details.changes;
        }
        Ok(self)
    }
}
