//! Lists: scripts read the tokens step by step, and this library filters and sorts them.

use std::cmp::Ordering;
use std::time::Duration;

use hallpass_core::store::{ChangeSeq, ListKey, ListPage, ListQuery, StatusCounts, StoreError};
use hallpass_core::{Owner, TokenId, TokenRecord};
use redis::Value;
use tokio::time::Instant;

use crate::connection::{Call, within};
use crate::encoding::{decode_id, decode_token, id_arg};
use crate::error_class::Failure;
use crate::reply::{self, unexpected_reply};
use crate::scripts;
use crate::store::Shared;

/// How many tokens one script reads: two milliseconds of the server's time.
const STEP: usize = 500;

/// How long a list of one owner's tokens may take, or one step of a longer call.
pub(crate) const PATIENCE: Duration = Duration::from_millis(1500);

/// How long a call may take that has to read everything.
pub(crate) const SCAN_PATIENCE: Duration = Duration::from_secs(10);

/// Not all tokens could be read in time.
#[derive(Debug, thiserror::Error)]
#[error("the list did not end within {} seconds: list the tokens of one owner", SCAN_PATIENCE.as_secs())]
struct TooSlow;

/// What one script read.
struct Step {
    as_of: ChangeSeq,
    cursor: Vec<u8>,
    ids: Vec<TokenId>,
    /// The tokens of the first of the ids.
    tokens: Vec<Value>,
}

impl Shared {
    pub(crate) async fn page(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        match &query.owner {
            Some(owner) => self.page_of_owner(owner, query).await,
            None => self.page_of_all(query).await,
        }
    }

    /// Lists the tokens of one owner: in one snapshot, unless there are very many.
    async fn page_of_owner(
        &self,
        owner: &Owner,
        query: &ListQuery,
    ) -> Result<ListPage, StoreError> {
        let deadline = within(PATIENCE);
        let call = || Call::script(&scripts::LIST_OWNER, &self.clock).arg(owner.as_str()).arg(STEP);
        let first = self.step(&call(), deadline).await?;
        let mut page = Page::new(query);
        page.add(&first)?;
        for ids in first.ids.chunks(STEP).skip(1) {
            let call = ids.iter().fold(call(), |call, id| call.arg(id_arg(*id)));
            page.add(&self.step(&call, deadline).await?)?;
        }
        Ok(page.finish(first.as_of))
    }

    /// Lists the tokens of all owners. All of them are read, because all of them are counted. A
    /// token that exists all the time is seen exactly once.
    async fn page_of_all(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        let deadline = within(SCAN_PATIENCE);
        let mut page = Page::new(query);
        let (mut cursor, mut as_of) = (b"-".to_vec(), None);
        while !cursor.is_empty() {
            let call = Call::script(&scripts::LIST_ALL, &self.clock).arg(cursor).arg(STEP);
            let patience = deadline.min(within(PATIENCE));
            let step = self.step(&call, patience).await.map_err(|error| {
                let is_late = !error.is_corrupt() && Instant::now() >= deadline;
                if is_late { StoreError::unavailable(TooSlow) } else { error }
            })?;
            page.add(&step)?;
            as_of.get_or_insert(step.as_of);
            cursor = step.cursor;
        }
        Ok(page.finish(as_of.unwrap_or_default()))
    }

    async fn step(&self, call: &Call, deadline: Instant) -> Result<Step, StoreError> {
        let reply = self.lists.read(call, deadline).await.map_err(Failure::of_read)?;
        let Ok([as_of, cursor, Value::Array(ids), Value::Array(tokens)]) =
            <[Value; 4]>::try_from(reply::done(reply)?)
        else {
            return Err(unexpected_reply());
        };
        let ids = ids.iter().map(decode_id).collect::<Result<_, _>>()?;
        let cursor = reply::bytes(&cursor)?.to_vec();
        Ok(Step { as_of: reply::seq(&as_of)?, cursor, ids, tokens })
    }
}

/// Collects a page from all tokens, and keeps no more of them than it has to.
struct Page<'q> {
    query: &'q ListQuery,
    counts: StatusCounts,
    kept: Vec<(ListKey, TokenRecord)>,
}

impl<'q> Page<'q> {
    fn new(query: &'q ListQuery) -> Self {
        Self { query, counts: StatusCounts::default(), kept: Vec::new() }
    }

    fn add(&mut self, step: &Step) -> Result<(), StoreError> {
        for (id, token) in step.ids.iter().zip(&step.tokens) {
            // A token that was deleted between two steps is gone.
            if let Some(token) = decode_token(*id, token)? {
                self.add_record(token.record);
            }
        }
        Ok(())
    }

    fn add_record(&mut self, record: TokenRecord) {
        if !self.query.matches_apart_from_status(&record) {
            return;
        }
        let status = record.status(self.query.now);
        self.counts.add(status);
        let key = self.query.sort.key_of(&record);
        let is_behind = |other: &ListKey| self.query.sort.compare(&key, other) == Ordering::Greater;
        if self.query.status.is_none_or(|wanted| wanted == status)
            && self.query.after.as_ref().is_none_or(is_behind)
        {
            self.kept.push((key, record));
            if self.kept.len() > 2 * self.enough() {
                self.shorten();
            }
        }
    }

    /// How many records decide about the page: those on it, and one that shows that more follow.
    fn enough(&self) -> usize {
        self.query.limit as usize + 1
    }

    fn shorten(&mut self) {
        self.kept.sort_unstable_by(|(a, _), (b, _)| self.query.sort.compare(a, b));
        self.kept.truncate(self.enough());
    }

    fn finish(mut self, as_of: ChangeSeq) -> ListPage {
        self.shorten();
        let limit = self.query.limit as usize;
        let more = self.kept.len() > limit;
        let records = self.kept.into_iter().take(limit).map(|(_, record)| record).collect();
        ListPage { records, counts: self.counts, more, as_of }
    }
}
