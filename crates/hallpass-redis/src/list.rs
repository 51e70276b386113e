//! Lists: scripts read, and this library filters and sorts by `ListQuery::matches` and `Sort::compare`.

use std::cmp::Ordering;
use std::time::Duration;

use hallpass_core::store::{ListKey, ListPage, ListQuery, ListValue, SortBy, StoreError};
use hallpass_core::{Owner, TokenRecord};
use redis::Value;
use tokio::time::Instant;

use crate::answer;
use crate::line::within;
use crate::packed;
use crate::scripts;
use crate::store::Shared;
use crate::time;
use crate::trouble::Failure;

/// How many tokens a script reads: a millisecond or two of the server's time.
const STEP: usize = 1000;

/// How long a page of an owner's tokens may take, or of everybody's by their age.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How long a list of everybody's tokens may take for which all have to be read.
const SCAN_PATIENCE: Duration = Duration::from_secs(10);

impl Shared {
    pub(crate) async fn page(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        if let Some(owner) = &query.owner {
            return self.of_owner(owner, query, within(PATIENCE)).await;
        }
        let has_filters = query.status.is_some() || query.text.is_some() || query.scope.is_some();
        let is_by_age = query.sort.by == SortBy::CreatedAt;
        let after = match &query.after {
            None => Some(Vec::new()),
            Some(ListKey { value: ListValue::Time(Some(at)), id }) => Some(time::place(*at, *id)),
            Some(_) => None,
        };
        match after {
            Some(after) if is_by_age && !has_filters => {
                self.by_age(query, after, within(PATIENCE)).await
            }
            _ => self.scan(query, within(SCAN_PATIENCE)).await,
        }
    }

    /// An owner's: in one step, and so in one snapshot, unless there are very many.
    async fn of_owner(
        &self,
        owner: &Owner,
        query: &ListQuery,
        deadline: Instant,
    ) -> Result<ListPage, StoreError> {
        let mut page = Page::new(query);
        let mut after = b"-".to_vec();
        let limit = STEP.to_string();
        while !after.is_empty() {
            let arguments = [owner.as_str().as_bytes(), &after[..], limit.as_bytes()];
            let read =
                self.lists.read(&scripts::LIST_OWNER, &self.clock, &arguments, deadline).await;
            let step = Step::read(read)?;
            step.records.into_iter().for_each(|record| page.take(record));
            after = step.cursor;
        }
        Ok(page.finish())
    }

    /// Everybody's by their age, from a place on: as much is read as is shown.
    async fn by_age(
        &self,
        query: &ListQuery,
        mut after: Vec<u8>,
        deadline: Instant,
    ) -> Result<ListPage, StoreError> {
        let limit = query.limit as usize;
        let mut records = Vec::new();
        loop {
            let count = (limit + 1 - records.len()).min(STEP);
            let step = self.step(&after, query.sort.descending, count, deadline).await?;
            records.extend(step.records);
            after = step.cursor;
            if after.is_empty() || records.len() > limit {
                let more = records.len() > limit;
                records.truncate(limit);
                return Ok(ListPage { records, total: step.total, more });
            }
        }
    }

    /// Everybody's in another order or with filters: all are read.
    async fn scan(&self, query: &ListQuery, deadline: Instant) -> Result<ListPage, StoreError> {
        let mut page = Page::new(query);
        let mut after = Vec::new();
        loop {
            let step = self.step(&after, false, STEP, deadline).await?;
            step.records.into_iter().for_each(|record| page.take(record));
            after = step.cursor;
            if after.is_empty() {
                return Ok(page.finish());
            }
        }
    }

    async fn step(
        &self,
        after: &[u8],
        descending: bool,
        count: usize,
        deadline: Instant,
    ) -> Result<Step, StoreError> {
        let count = count.to_string();
        let direction: &[u8] = if descending { b"1" } else { b"0" };
        let arguments = [after, direction, count.as_bytes()];
        Step::read(self.lists.read(&scripts::LIST_ALL, &self.clock, &arguments, deadline).await)
    }
}

/// What a script has read.
struct Step {
    /// How many tokens there are, if that was asked for.
    total: u64,
    /// Where to go on; empty if this was all.
    cursor: Vec<u8>,
    records: Vec<TokenRecord>,
}

impl Step {
    fn read(read: Result<Value, Failure>) -> Result<Self, StoreError> {
        let parts = answer::of_read(read.map_err(Failure::of_read)?)?;
        let [total, cursor, Value::Array(ids), Value::Array(values)] = &parts[..] else {
            return Err(StoreError::corrupt("a list that is none"));
        };
        let tokens = ids.iter().zip(values).filter(|(_, value)| !matches!(value, Value::Nil));
        let records = tokens.map(|(id, value)| {
            let id = packed::id(answer::bytes(id)?)?;
            Ok(packed::unpack(id, answer::bytes(value)?)?.record)
        });
        Ok(Self {
            records: records.collect::<Result<_, StoreError>>()?,
            cursor: answer::bytes(cursor)?.to_vec(),
            total: answer::optional_number(total)?,
        })
    }
}

/// Puts a page together from all that there is, and keeps no more of it than it has to.
struct Page<'q> {
    query: &'q ListQuery,
    total: u64,
    kept: Vec<(ListKey, TokenRecord)>,
}

impl<'q> Page<'q> {
    fn new(query: &'q ListQuery) -> Self {
        Self { query, total: 0, kept: Vec::new() }
    }

    fn take(&mut self, record: TokenRecord) {
        if !self.query.matches(&record) {
            return;
        }
        self.total += 1;
        let key = self.query.sort.key_of(&record);
        let is_behind = |after: &ListKey| self.query.sort.compare(&key, after) == Ordering::Greater;
        if self.query.after.as_ref().is_none_or(is_behind) {
            self.kept.push((key, record));
            if self.kept.len() >= 2 * (self.query.limit as usize + 1).max(STEP) {
                self.shorten();
            }
        }
    }

    /// Keeps what is on the page, and one more.
    fn shorten(&mut self) {
        self.kept.sort_unstable_by(|(a, _), (b, _)| self.query.sort.compare(a, b));
        self.kept.truncate(self.query.limit as usize + 1);
    }

    fn finish(mut self) -> ListPage {
        self.shorten();
        let limit = self.query.limit as usize;
        let more = self.kept.len() > limit;
        let records = self.kept.into_iter().take(limit).map(|(_, record)| record).collect();
        ListPage { records, total: self.total, more }
    }
}
