//! What a list asks of a store, and how two records are ordered: the same in every store.

use std::cmp::Ordering;

use jiff::Timestamp;

use crate::owner::Owner;
use crate::record::{Status, TokenRecord};
use crate::scope::Scope;
use crate::text::fold;
use crate::token::TokenId;

/// What a list shall hold, in what order, from where on.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// Only this owner's; everybody's if `None`.
    pub owner: Option<Owner>,
    /// Only those of this status.
    pub status: Option<Status>,
    /// Only those whose name or description holds this text once both are [folded](fold); it comes folded.
    pub text: Option<String>,
    /// Only those that hold exactly this scope.
    pub scope: Option<Scope>,
    /// The order.
    pub sort: Sort,
    /// Only what comes behind this place.
    pub after: Option<ListKey>,
    /// At most so many.
    pub limit: u32,
    /// The time that `status` is computed for.
    pub now: Timestamp,
}

/// The order of a list. What has no such time comes last in both directions; the id breaks ties, in
/// the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sort {
    /// By what.
    pub by: SortBy,
    /// Largest first.
    pub descending: bool,
}

impl Default for Sort {
    /// The newest first.
    fn default() -> Self {
        Self { by: SortBy::CreatedAt, descending: true }
    }
}

/// What a list is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SortBy {
    /// When it was issued.
    CreatedAt,
    /// Its name, [folded](fold).
    Name,
    /// When it ends.
    ExpiresAt,
    /// When it was last used.
    LastUsedAt,
}

/// A record's place in an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListKey {
    /// What is ordered by.
    pub value: ListValue,
    /// Breaks ties.
    pub id: TokenId,
}

/// The value that a list is ordered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListValue {
    /// A time, or none.
    Time(Option<Timestamp>),
    /// A folded name.
    Name(String),
}

/// One page of a list.
#[derive(Clone, Debug)]
pub struct ListPage {
    /// The records, in order.
    pub records: Vec<TokenRecord>,
    /// How many records the filters match, on all pages together.
    pub total: u64,
    /// Whether more come behind these.
    pub more: bool,
}

impl Sort {
    /// Where the record stands in this order.
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

    /// Which of two places comes first.
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
    /// Everybody's tokens, the newest first, from the first on, at most so many.
    #[must_use]
    pub fn everything(now: Timestamp, limit: u32) -> Self {
        Self {
            owner: None,
            status: None,
            text: None,
            scope: None,
            sort: Sort::default(),
            after: None,
            limit,
            now,
        }
    }

    /// Whether the filters match; `after` and `limit` are not looked at.
    #[must_use]
    pub fn matches(&self, record: &TokenRecord) -> bool {
        self.owner.as_ref().is_none_or(|owner| *owner == record.owner)
            && self.status.is_none_or(|status| status == record.status(self.now))
            && self.scope.as_ref().is_none_or(|scope| record.scopes.contains(scope))
            && self.text.as_ref().is_none_or(|text| {
                fold(&record.name).contains(text) || fold(&record.description).contains(text)
            })
    }
}
