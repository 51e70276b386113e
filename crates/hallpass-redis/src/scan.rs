//! Lists for which everybody's tokens have to be read, all of them: by filters, or in another order than by age.

use std::sync::Arc;
use std::time::Duration;

use hallpass_core::store::{ListPage, ListQuery, SortBy, StoreError};
use redis::Value;
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::Instant;

use crate::answer;
use crate::line::within;
use crate::list::{Step, no_list};
use crate::page::Page;
use crate::store::Shared;
use crate::trouble::Failure;

/// How many tokens are read in one step: less than a millisecond of the server's time.
const STEP: usize = 500;

/// How many steps wait for whoever takes them.
const AHEAD: usize = 1;

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// It took longer.
#[derive(Debug, thiserror::Error)]
#[error(
    "the tokens could not all be read within {} seconds: a list of an owner's, or one by age without filters, reads less",
    PATIENCE.as_secs()
)]
struct TookTooLong;

type Read = Result<Step, StoreError>;

impl Shared {
    pub(crate) async fn scan(self: &Arc<Self>, query: &ListQuery) -> Result<ListPage, StoreError> {
        let deadline = within(PATIENCE);
        let mut page = Page::new(query);
        let is_by_age = query.sort.by == SortBy::CreatedAt;
        let mut steps = self.read_ahead(is_by_age && query.sort.descending, deadline);
        loop {
            let step =
                steps.recv().await.ok_or_else(|| StoreError::unavailable("the runtime ends"))?;
            let step =
                step.map_err(|error| match error.is_corrupt() || Instant::now() < deadline {
                    true => error,
                    false => StoreError::unavailable(TookTooLong),
                })?;
            step.tokens().try_for_each(|token| page.take(token?))?;
            if step.cursor.is_empty() {
                return Ok(page.finish());
            }
        }
    }

    /// Reads places, then the tokens there, and both ahead of whoever looks at them: the server, the connection and he
    /// have something to do at the same time. It ends when nobody takes the steps any more.
    fn read_ahead(self: &Arc<Self>, descending: bool, deadline: Instant) -> Receiver<Read> {
        let (found, mut places) = mpsc::channel::<Read>(AHEAD);
        let (filled, steps) = mpsc::channel(AHEAD);
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            let mut after = Some(Vec::new());
            while let Some(from) = after {
                let read = shared.walk(&from, descending, STEP, false, deadline).await;
                let step = Step::of_all(read);
                let cursor = step.as_ref().ok().map(|step| step.cursor.clone());
                after = cursor.filter(|cursor| !cursor.is_empty());
                if found.send(step).await.is_err() {
                    return;
                }
            }
        });
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            while let Some(step) = places.recv().await {
                let step = match step {
                    Ok(step) => shared.fill(step, deadline).await,
                    Err(error) => Err(error),
                };
                let is_over = step.is_err();
                if filled.send(step).await.is_err() || is_over {
                    return;
                }
            }
        });
        steps
    }

    /// Reads the tokens of a step: by a command, since a script would turn each of them into a text of its language and
    /// back.
    async fn fill(&self, mut step: Step, deadline: Instant) -> Read {
        let mut ask = redis::cmd("MGET");
        ask.arg(&self.clock);
        for id in &step.ids {
            ask.arg(self.namespace.token(id.as_uuid().as_bytes()));
        }
        let read = self.lists.ask(&ask, deadline).await.map_err(Failure::of_read)?;
        let Value::Array(mut values) = read else { return Err(no_list()) };
        answer::clock(values.first())?;
        values.remove(0);
        step.values = values;
        Ok(step)
    }
}
