//! Lists: scripts read, and this library filters and sorts.

use std::sync::Arc;
use std::time::Duration;

use hallpass_core::store::{ListKey, ListPage, ListQuery, ListValue, SortBy, StoreError};
use hallpass_core::{Owner, TokenId};
use redis::Value;
use tokio::time::Instant;

use crate::answer;
use crate::bytes::Bytes;
use crate::line::within;
use crate::packed::{self, Packed};
use crate::page::Page;
use crate::scripts;
use crate::store::Shared;
use crate::time;
use crate::trouble::Failure;

/// How many tokens a script reads: a millisecond or two of the server's time.
const STEP: usize = 1000;

/// How long a page of an owner's tokens may take, or of everybody's by their age.
const PATIENCE: Duration = Duration::from_millis(1500);

impl Shared {
    pub(crate) async fn page(self: &Arc<Self>, query: &ListQuery) -> Result<ListPage, StoreError> {
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
            _ => self.scan(query).await,
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
            let step = Step::of_owner(read)?;
            step.tokens().try_for_each(|token| page.take(token?))?;
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
            let read = self.walk(&after, query.sort.descending, count, true, deadline).await;
            let step = Step::of_all(read)?;
            for token in step.tokens() {
                records.push(token?.into_record()?);
            }
            after = step.cursor;
            if after.is_empty() || records.len() > limit {
                let more = records.len() > limit;
                records.truncate(limit);
                return Ok(ListPage { records, total: step.total, more });
            }
        }
    }

    /// Reads the places of everybody's tokens, and perhaps the tokens.
    pub(crate) async fn walk(
        &self,
        after: &[u8],
        descending: bool,
        count: usize,
        wants_tokens: bool,
        deadline: Instant,
    ) -> Result<Value, Failure> {
        let count = count.to_string();
        let flag = |is_on: bool| -> &[u8] { if is_on { b"1" } else { b"0" } };
        let arguments = [after, flag(descending), count.as_bytes(), flag(wants_tokens)];
        self.lists.read(&scripts::LIST_ALL, &self.clock, &arguments, deadline).await
    }
}

/// What was read in one step.
pub(crate) struct Step {
    /// How many tokens there are, if that was asked for.
    total: u64,
    /// Where to go on; empty if this was all.
    pub(crate) cursor: Vec<u8>,
    pub(crate) ids: Vec<TokenId>,
    /// The tokens of these ids, if they are read already.
    pub(crate) values: Vec<Value>,
}

impl Step {
    fn of_owner(read: Result<Value, Failure>) -> Result<Self, StoreError> {
        Self::read(read, |id, ids| {
            ids.push(packed::id(answer::bytes(id)?)?);
            Ok(())
        })
    }

    /// Of a [walk](Shared::walk).
    pub(crate) fn of_all(read: Result<Value, Failure>) -> Result<Self, StoreError> {
        Self::read(read, |chunk, ids| {
            let mut places = Bytes::new(answer::bytes(chunk)?);
            while !places.is_empty() {
                ids.push(time::read_id_at(&mut places).map_err(StoreError::corrupt)?);
            }
            Ok(())
        })
    }

    fn read(
        read: Result<Value, Failure>,
        add: impl Fn(&Value, &mut Vec<TokenId>) -> Result<(), StoreError>,
    ) -> Result<Self, StoreError> {
        let parts = answer::of_read(read.map_err(Failure::of_read)?)?;
        let Ok([total, cursor, Value::Array(found), Value::Array(values)]) =
            <[Value; 4]>::try_from(parts)
        else {
            return Err(no_list());
        };
        let mut ids = Vec::new();
        found.iter().try_for_each(|found| add(found, &mut ids))?;
        let cursor = answer::bytes(&cursor)?.to_vec();
        Ok(Self { total: answer::optional_number(&total)?, cursor, ids, values })
    }

    /// The tokens that are still there.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = Result<Packed<'_>, StoreError>> {
        let found = self.ids.iter().zip(&self.values);
        let found = found.filter(|(_, value)| !matches!(value, Value::Nil));
        let mut known = "";
        found.map(move |(id, value)| packed::look(*id, answer::bytes(value)?, &mut known))
    }
}

pub(crate) fn no_list() -> StoreError {
    StoreError::corrupt("a list that is none")
}
