//! List queries: filters, orders and pages, which mean the same in every store.

use std::cmp::Ordering;
use std::str::FromStr;

use jiff::Timestamp;
use serde_json::Value;

use super::ChangeSeq;
use crate::owner::Owner;
use crate::record::{Status, TokenRecord};
use crate::scope::Scope;
use crate::text::fold;
use crate::token::TokenId;

/// A query for one page of a list. A token is selected if all filters match.
#[derive(Clone, Debug, PartialEq)]
pub struct ListQuery {
    /// Tokens of this owner. `None` selects the tokens of all owners.
    pub owner: Option<Owner>,
    /// Tokens of this status.
    pub status: Option<Status>,
    /// Tokens whose [folded](fold) name or description contains this text, which is folded, too.
    pub text: Option<String>,
    /// Tokens that hold exactly this scope.
    pub scope: Option<Scope>,
    /// Tokens whose metadata has each of these members, with the same JSON text as value.
    pub metadata: Vec<(String, Value)>,
    /// Tokens that expire before this time.
    pub expires_before: Option<Timestamp>,
    /// Tokens that were never used, if `true`.
    pub never_used: bool,
    /// Tokens whose last use is before this time. A token that was never used must have been issued
    /// before this time.
    pub unused_since: Option<Timestamp>,
    /// Tokens whose previous secret is still accepted at `now`, if `true`. These tokens are active,
    /// because the secrets of other tokens are rejected.
    pub previous_secret: bool,
    /// The order.
    pub sort: Sort,
    /// Tokens that come after this position in the order.
    pub after: Option<ListKey>,
    /// The maximum number of tokens.
    pub limit: u32,
    /// The time at which `status` and `previous_secret` are computed.
    pub now: Timestamp,
}

/// The order of a list. A token that lacks the time to sort by comes last in both directions.
/// Tokens with equal values are ordered by id, in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sort {
    /// The field that the list is ordered by.
    pub by: SortBy,
    /// The direction: the largest value comes first if `true`.
    pub descending: bool,
}

impl Default for Sort {
    /// Returns the order with the newest token first.
    fn default() -> Self {
        Self { by: SortBy::CreatedAt, descending: true }
    }
}

/// Parses the name of a field, with a `-` in front for descending order: `-created_at`.
impl FromStr for Sort {
    type Err = SortError;

    fn from_str(text: &str) -> Result<Self, SortError> {
        let (field, descending) = match text.strip_prefix('-') {
            Some(field) => (field, true),
            None => (text, false),
        };
        let by = match field {
            "created_at" => SortBy::CreatedAt,
            "name" => SortBy::Name,
            "expires_at" => SortBy::ExpiresAt,
            "last_used_at" => SortBy::LastUsedAt,
            _ => return Err(SortError(())),
        };
        Ok(Self { by, descending })
    }
}

/// The error for a text that is not an order of a list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected `created_at`, `name`, `expires_at` or `last_used_at`, with a `-` in front for \
     descending order"
)]
pub struct SortError(());

/// The field that a list is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SortBy {
    /// The time of issue.
    CreatedAt,
    /// The [folded](fold) name.
    Name,
    /// The time of expiry.
    ExpiresAt,
    /// The time of the last use.
    LastUsedAt,
}

/// The position of a record in an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListKey {
    /// The value that the list is ordered by.
    pub value: ListValue,
    /// The id, which orders records with equal values.
    pub id: TokenId,
}

/// The value that a list is ordered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListValue {
    /// A time, if the record has one.
    Time(Option<Timestamp>),
    /// A folded name.
    Name(String),
}

/// One page of a list.
#[derive(Clone, Debug)]
pub struct ListPage {
    /// The records in order.
    pub records: Vec<TokenRecord>,
    /// The number of records of each status that match all filters except `status`.
    pub counts: StatusCounts,
    /// Whether more records follow.
    pub more: bool,
    /// A position of the change log that includes every change shown by these records. A store that
    /// reads a list in one snapshot returns the position of that snapshot.
    pub as_of: ChangeSeq,
}

/// The number of tokens of each status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StatusCounts {
    /// The number of tokens that work.
    pub active: u64,
    /// The number of tokens that have expired.
    pub expired: u64,
    /// The number of tokens that are revoked.
    pub revoked: u64,
}

impl StatusCounts {
    /// Returns the number of tokens of one status, or of all.
    #[must_use]
    pub fn of(&self, status: Option<Status>) -> u64 {
        match status {
            None => self.active + self.expired + self.revoked,
            Some(Status::Active) => self.active,
            Some(Status::Expired) => self.expired,
            Some(Status::Revoked) => self.revoked,
        }
    }

    /// Counts one token of that status.
    pub fn add(&mut self, status: Status) {
        match status {
            Status::Active => self.active += 1,
            Status::Expired => self.expired += 1,
            Status::Revoked => self.revoked += 1,
        }
    }
}

impl Sort {
    /// Returns the position of a record in this order.
    #[must_use]
    pub fn key_of(&self, record: &TokenRecord) -> ListKey {
        let value = match self.by {
            SortBy::CreatedAt => ListValue::Time(Some(record.created_at)),
            SortBy::Name => ListValue::Name(fold(&record.name)),
            SortBy::ExpiresAt => ListValue::Time(record.expires_at),
            SortBy::LastUsedAt => ListValue::Time(record.last_used_at),
        };
        ListKey { value, id: record.id }
    }

    /// Compares two positions.
    #[must_use]
    pub fn compare(&self, a: &ListKey, b: &ListKey) -> Ordering {
        let directed = |order: Ordering| {
            if self.descending { order.reverse() } else { order }
        };
        let by_value = match (&a.value, &b.value) {
            (ListValue::Time(Some(a)), ListValue::Time(Some(b))) => directed(a.cmp(b)),
            (ListValue::Time(None), ListValue::Time(Some(_))) => Ordering::Greater,
            (ListValue::Time(Some(_)), ListValue::Time(None)) => Ordering::Less,
            (ListValue::Name(a), ListValue::Name(b)) => directed(a.cmp(b)),
            _ => Ordering::Equal,
        };
        by_value.then_with(|| directed(a.id.cmp(&b.id)))
    }
}

impl ListQuery {
    /// Selects the tokens of all owners, newest first, at most `limit` of them.
    #[must_use]
    pub fn everything(now: Timestamp, limit: u32) -> Self {
        Self {
            owner: None,
            status: None,
            text: None,
            scope: None,
            metadata: Vec::new(),
            expires_before: None,
            never_used: false,
            unused_since: None,
            previous_secret: false,
            sort: Sort::default(),
            after: None,
            limit,
            now,
        }
    }

    /// Returns whether all filters match a record. The position and the limit are not checked.
    #[must_use]
    pub fn matches(&self, record: &TokenRecord) -> bool {
        self.status.is_none_or(|status| status == record.status(self.now))
            && self.matches_apart_from_status(record)
    }

    /// Returns whether all filters except `status` match a record. [`ListPage::counts`] counts
    /// these records.
    #[must_use]
    pub fn matches_apart_from_status(&self, record: &TokenRecord) -> bool {
        // Numbers are compared as they are written: 1 is not 1.0.
        let text = |value: &Value| value.to_string();
        self.owner.as_ref().is_none_or(|owner| *owner == record.owner)
            && self
                .expires_before
                .is_none_or(|limit| record.expires_at.is_some_and(|end| end < limit))
            && !(self.never_used && record.last_used_at.is_some())
            && self
                .unused_since
                .is_none_or(|time| record.last_used_at.unwrap_or(record.created_at) < time)
            && (!self.previous_secret || record.previous_secret_accepted_until(self.now).is_some())
            && self.scope.as_ref().is_none_or(|scope| record.scopes.contains(scope))
            && self.metadata.iter().all(|(name, value)| {
                record.metadata.get(name).is_some_and(|own| text(own) == text(value))
            })
            && self.text.as_ref().is_none_or(|text| {
                fold(&record.name).contains(text) || fold(&record.description).contains(text)
            })
    }
}
