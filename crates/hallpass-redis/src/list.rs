//! Lists: scripts read the tokens in steps, and this module filters and sorts them.

use std::cmp::Ordering;
use std::time::Duration;

use hallpass_core::store::{ChangeSeq, ListKey, ListPage, ListQuery, StatusCounts, StoreError};
use hallpass_core::{Owner, TokenId, TokenRecord};
use redis::Value;
use tokio::time::Instant;

use crate::connection::{Call, within};
use crate::encoding::{decode_id, decode_token};
use crate::error_class::Failure;
use crate::reply::{self, unexpected_reply};
use crate::scripts;
use crate::store::Shared;

/// The number of an owner's tokens that a script reads in one snapshot.
const SNAPSHOT: usize = 200;

/// The number of other tokens that are read at once. They are read by commands, because a script
/// takes four times as long, and other callers would have to wait for it.
const STEP: usize = 500;

/// The maximum duration of a list of one owner's tokens, or of one step of a longer call.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(1500);

/// The maximum duration of a call that has to read all tokens.
pub(crate) const SCAN_TIMEOUT: Duration = Duration::from_secs(10);

/// The error if not all tokens could be read in time.
#[derive(Debug, thiserror::Error)]
#[error("the list took longer than {} seconds: list the tokens of one owner", SCAN_TIMEOUT.as_secs())]
struct TooSlow;

/// The result of one script.
struct Step {
    as_of: ChangeSeq,
    /// The position after this step. It is empty after the last step.
    cursor: Vec<u8>,
    ids: Vec<TokenId>,
    /// The tokens of the first ids. A script may read none of them.
    tokens: Vec<Value>,
}

impl Shared {
    /// Reads one page of a list.
    pub(crate) async fn page(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        match &query.owner {
            Some(owner) => self.page_of_owner(owner, query).await,
            None => self.page_of_all(query).await,
        }
    }

    /// Lists the tokens of one owner. They are read in one snapshot, unless there are more than
    /// [`SNAPSHOT`].
    async fn page_of_owner(
        &self,
        owner: &Owner,
        query: &ListQuery,
    ) -> Result<ListPage, StoreError> {
        let deadline = within(TIMEOUT);
        let mut page = Page::new(query);
        let call = Call::script(&scripts::LIST_OWNER, &self.clock).arg(owner.as_str());
        let first = self.step(&call.arg(SNAPSHOT), deadline).await?;
        page.add(&first.ids, &first.tokens)?;
        let rest = &first.ids[first.tokens.len()..];
        self.add(&mut page, rest, deadline).await?;
        let as_of = if rest.is_empty() { first.as_of } else { self.clock(deadline).await? };
        Ok(page.finish(as_of))
    }

    /// Lists the tokens of all owners. All of them are read, because they are counted by status.
    ///
    /// A token that exists during the whole call is seen exactly once.
    async fn page_of_all(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        let end = within(SCAN_TIMEOUT);
        let mut page = Page::new(query);
        let mut cursor = b"-".to_vec();
        while !cursor.is_empty() {
            let deadline = end.min(within(TIMEOUT));
            let call = Call::script(&scripts::LIST_ALL, &self.clock).arg(cursor).arg(STEP);
            let read = async {
                let step = self.step(&call, deadline).await?;
                self.add(&mut page, &step.ids, deadline).await?;
                Ok(step)
            };
            let step = read.await.map_err(|error: StoreError| {
                let is_late = !error.is_corrupt() && Instant::now() >= end;
                if is_late { StoreError::unavailable(TooSlow) } else { error }
            })?;
            cursor = step.cursor;
        }
        let as_of = self.clock(within(TIMEOUT)).await?;
        Ok(page.finish(as_of))
    }

    /// Reads the clock after a list that took several steps. The log up to this number contains
    /// every change that the list shows, so a cache has to catch up to this number.
    async fn clock(&self, deadline: Instant) -> Result<ChangeSeq, StoreError> {
        let mut get = redis::cmd("GET");
        get.arg(&self.clock);
        let call = Call::commands(vec![get]);
        reply::seq(&self.lists.read(&call, deadline).await.map_err(Failure::of_read)?)
    }

    /// Adds tokens to a page by their ids.
    async fn add(
        &self,
        page: &mut Page<'_>,
        ids: &[TokenId],
        deadline: Instant,
    ) -> Result<(), StoreError> {
        for ids in ids.chunks(STEP) {
            page.add(ids, &self.tokens(ids, deadline).await?)?;
        }
        Ok(())
    }

    /// Reads tokens by their ids.
    async fn tokens(&self, ids: &[TokenId], deadline: Instant) -> Result<Vec<Value>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let get = |id: &TokenId| redis::cmd("HGETALL").arg(self.namespace.token(*id)).to_owned();
        let call = Call::commands(ids.iter().map(get).collect());
        let reply = self.lists.read(&call, deadline).await.map_err(Failure::of_read)?;
        match reply {
            Value::Array(tokens) if ids.len() > 1 => Ok(tokens),
            token => Ok(vec![token]),
        }
    }

    /// Runs a script that reads one step.
    async fn step(&self, call: &Call, deadline: Instant) -> Result<Step, StoreError> {
        let reply = self.lists.read(call, deadline).await.map_err(Failure::of_read)?;
        let Ok([as_of, cursor, Value::Array(ids), Value::Array(tokens)]) =
            <[Value; 4]>::try_from(reply::parts(reply)?)
        else {
            return Err(unexpected_reply());
        };
        let ids = ids.iter().map(decode_id).collect::<Result<_, _>>()?;
        let cursor = reply::bytes(&cursor)?.to_vec();
        Ok(Step { as_of: reply::seq(&as_of)?, cursor, ids, tokens })
    }
}

/// A page that is collected from all tokens. It keeps only as many of them as necessary.
struct Page<'q> {
    query: &'q ListQuery,
    counts: StatusCounts,
    kept: Vec<(ListKey, TokenRecord)>,
}

impl<'q> Page<'q> {
    fn new(query: &'q ListQuery) -> Self {
        Self { query, counts: StatusCounts::default(), kept: Vec::new() }
    }

    fn add(&mut self, ids: &[TokenId], tokens: &[Value]) -> Result<(), StoreError> {
        for (id, token) in ids.iter().zip(tokens) {
            // A token that was deleted after its id was read is left out.
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

    /// Returns the number of records to keep: those on the page, and one that shows that more
    /// follow.
    fn enough(&self) -> usize {
        self.query.limit as usize + 1
    }

    /// Drops the records that cannot be on the page.
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
