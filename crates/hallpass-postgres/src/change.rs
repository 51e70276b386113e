//! Makes changes, and finds the outcome of a change if the server's reply is lost.
//!
//! A change is one statement in autocommit. If its connection is lost before the reply, the change
//! may have been committed, may still be running, or may still be in transit. So the store then
//! inserts a row with the same unique nonce (see [`WITHDRAW`](sql::WITHDRAW)). Only one of the two
//! can commit. If this row commits, the change never will, whatever its state is. If this row
//! cannot be inserted, the change has been committed, and its log entries show the result.

use std::time::Duration;

use hallpass_core::store::{ChangeSeq, ChangeTarget, StoreError, fresh_nonce};
use hallpass_core::{Event, EventKind, Owner, TokenId};
use hallpass_sql::{ReadRow as _, Value, event_values};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::connections::CheckedOut;
use crate::dialect::{Statement, bind_all};
use crate::error_class::{ErrorClass, error_class, is_rejection};
use crate::sql;
use crate::store::PostgresStore;

/// The maximum time for a change, including the wait for its permit.
pub(crate) const CHANGE_TIMEOUT: Duration = Duration::from_millis(1400);

/// The deadline for finding the outcome of a change, within the two seconds that are promised.
const OUTCOME_TIMEOUT: Duration = Duration::from_millis(1900);

/// The maximum time for a notification.
const NOTIFY_TIMEOUT: Duration = Duration::from_millis(300);

/// The number of retries after a collision with another change.
const COLLISIONS: u32 = 3;

/// The pause before the outcome of a change is looked up again.
const OUTCOME_PAUSE: Duration = Duration::from_millis(20);

/// A change that is about to be made.
#[derive(Debug)]
pub(crate) struct Change {
    sql: &'static str,
    kind: EventKind,
    /// The values of the event, and those of the statement itself.
    values: Vec<Value>,
    /// The maximum number of its log entries.
    entries: i64,
}

impl Change {
    pub(crate) fn new(
        sql: &'static str,
        target: &ChangeTarget,
        event: &Event,
        values: impl IntoIterator<Item = Value>,
    ) -> Self {
        let values = event_values(target, event).into_iter().chain(values).collect();
        Self { sql, kind: event.kind, values, entries: 1 }
    }

    /// Sets the maximum number of the change's log entries.
    pub(crate) fn entries(mut self, entries: usize) -> Self {
        self.entries = i64::try_from(entries).unwrap_or(i64::MAX);
        self
    }

    /// Prepares the statement in the store's schema.
    pub(crate) fn statement(&self, store: &PostgresStore, nonce: i64) -> Statement<'_> {
        bind_all(store.statement(self.sql).bind(nonce), &self.values)
    }
}

/// A row that a change returns: a log entry or, if it has no number, the reason why there is none.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) seq: Option<ChangeSeq>,
    /// The token that the entry is about, if it is about one.
    pub(crate) token: Option<(TokenId, Owner)>,
    pub(crate) count: u64,
}

impl Line {
    pub(crate) fn read(row: &PgRow) -> Result<Self, StoreError> {
        let seq = row.integer("seq").map_err(StoreError::corrupt)?;
        let id = row.bytes("token_id").map_err(StoreError::corrupt)?;
        let owner = row.text("owner").map_err(StoreError::corrupt)?;
        let token = match (id, owner) {
            (Some(id), Some(owner)) => {
                let id = Uuid::from_slice(&id).map_err(StoreError::corrupt)?;
                let owner = Owner::new(owner).map_err(StoreError::corrupt)?;
                Some((TokenId::from_uuid(id), owner))
            }
            _ => None,
        };
        let seq = seq.map(|_| hallpass_sql::seq(row, "seq")).transpose()?;
        Ok(Self { seq, token, count: hallpass_sql::count(row, "count")? })
    }
}

/// A change that was committed, or that changed nothing.
struct FinishedChange {
    rows: Vec<PgRow>,
    /// The first nonce of the change.
    nonce: i64,
    /// The connection it ran on. `None` if the change was found after its connection was lost.
    connection: Option<CheckedOut>,
}

/// The outcome of a change whose reply was lost.
enum Outcome {
    Committed(Vec<PgRow>),
    /// The change will never be committed. The connection is usable.
    Withdrawn(PgConnection),
    Unknown,
}

impl PostgresStore {
    /// Makes a change and notifies other nodes of it. Once it has a permit, it runs to completion
    /// even if the caller is dropped, because its outcome must be found.
    pub(crate) async fn change(&self, change: Change) -> Result<Vec<Line>, StoreError> {
        let started = Instant::now();
        let permit = self.permits.acquire(change.kind, started + CHANGE_TIMEOUT).await?;
        let (sender, receiver) = oneshot::channel();
        let store = self.clone();
        tokio::spawn(async move { store.run_change(change, started, permit, sender).await });
        // Without a result, the task has panicked or the runtime has shut down.
        receiver.await.map_err(StoreError::outcome_unknown)?
    }

    async fn run_change(
        self,
        change: Change,
        started: Instant,
        permit: OwnedSemaphorePermit,
        sender: oneshot::Sender<Result<Vec<Line>, StoreError>>,
    ) {
        let change = match self.attempt(&change, started).await {
            Ok(change) => change,
            Err(error) => {
                drop(permit);
                return drop(sender.send(Err(error)));
            }
        };
        let lines: Result<Vec<_>, _> = change.rows.iter().map(Line::read).collect();
        // The change was made even if its rows cannot be read.
        let lines = lines.map_err(StoreError::outcome_unknown);
        let numbers: Vec<_> = lines.iter().flatten().filter_map(|line| line.seq).collect();
        if let Some(last) = numbers.iter().max() {
            self.listener.advance(*last);
        }
        // The caller does not wait for the notification, and its failure does not undo the change.
        let _ = sender.send(lines);
        if self.notifies && !numbers.is_empty() {
            let last_nonce = change.nonce + (numbers.len() - 1) as i64;
            if let Err(error) = self.notify(change.connection, last_nonce).await {
                tracing::warn!(
                    target: "hallpass",
                    %error,
                    "NOTIFY failed: other nodes see the change when they next read the log"
                );
            }
        } else if let Some(connection) = change.connection {
            connection.give_back();
        }
    }

    /// Makes the change. It is tried again only when it is certain that it was not made.
    async fn attempt(
        &self,
        change: &Change,
        started: Instant,
    ) -> Result<FinishedChange, StoreError> {
        let deadline = started + CHANGE_TIMEOUT;
        let connections = &self.connections;
        let mut collisions = 0;
        loop {
            let nonce = draw_nonce()?;
            let acquired = CheckedOut::acquire(&connections.main, deadline).await;
            let mut connection = acquired.map_err(|error| connections.store_error(error))?;
            let statement = change.statement(self, nonce);
            let error = match connections.run(connection.get(), statement, deadline).await {
                Ok(rows) => {
                    return Ok(FinishedChange { rows, nonce, connection: Some(connection) });
                }
                Err(error) => error,
            };
            let is_rejection = is_rejection(&error);
            let class = error_class(&error);
            connection.give_back_after(&error, started + OUTCOME_TIMEOUT).await;
            if !is_rejection {
                return self.find_outcome(change, nonce, error, started).await;
            }
            if class != ErrorClass::Collision || collisions == COLLISIONS {
                return Err(connections.store_error(error));
            }
            collisions += 1;
            sleep(jitter(collisions)).await;
        }
    }

    /// Finds the outcome of a change whose connection was lost. If it was not made and there is
    /// time left, makes it once more on a new connection, because those in the pool may all be
    /// dead.
    async fn find_outcome(
        &self,
        change: &Change,
        nonce: i64,
        lost: sqlx::Error,
        started: Instant,
    ) -> Result<FinishedChange, StoreError> {
        let deadline = started + CHANGE_TIMEOUT;
        let mut connection = match self.withdraw(change, nonce, started + OUTCOME_TIMEOUT).await {
            Outcome::Committed(rows) => {
                return Ok(FinishedChange { rows, nonce, connection: None });
            }
            Outcome::Unknown => {
                return Err(StoreError::outcome_unknown(self.connections.at_server(lost)));
            }
            Outcome::Withdrawn(_) if Instant::now() >= deadline => {
                return Err(self.connections.store_error(lost));
            }
            Outcome::Withdrawn(connection) => connection,
        };
        // A withdrawn nonce cannot be used again.
        let nonce = draw_nonce()?;
        let statement = change.statement(self, nonce);
        let error = match self.connections.run(&mut connection, statement, deadline).await {
            Ok(rows) => return Ok(FinishedChange { rows, nonce, connection: None }),
            Err(error) if is_rejection(&error) => {
                return Err(self.connections.store_error(error));
            }
            Err(error) => error,
        };
        drop(connection);
        match self.withdraw(change, nonce, started + OUTCOME_TIMEOUT).await {
            Outcome::Committed(rows) => Ok(FinishedChange { rows, nonce, connection: None }),
            Outcome::Withdrawn(_) => Err(self.connections.store_error(error)),
            Outcome::Unknown => Err(StoreError::outcome_unknown(self.connections.at_server(error))),
        }
    }

    /// Withdraws a change, or finds that it was committed. Tries again until the outcome is certain
    /// or the deadline has passed.
    async fn withdraw(&self, change: &Change, nonce: i64, deadline: Instant) -> Outcome {
        while Instant::now() < deadline {
            match self.try_withdraw(change, nonce, deadline).await {
                Ok(Some(outcome)) => return outcome,
                // The change is still running, or the server cannot be reached.
                Ok(None) | Err(_) => sleep(OUTCOME_PAUSE).await,
            }
        }
        Outcome::Unknown
    }

    async fn try_withdraw(
        &self,
        change: &Change,
        nonce: i64,
        deadline: Instant,
    ) -> Result<Option<Outcome>, sqlx::Error> {
        let connections = &self.connections;
        let mut connection = connections.open_fresh(deadline).await?;
        let withdrawal = self.statement(sql::WITHDRAW).bind(nonce);
        // If the withdrawal fails, the change may have been committed nevertheless. For example,
        // the server may have become read-only since. So the log is read in each case.
        let _ = connections.run(&mut connection, withdrawal, deadline).await;
        let outcome = self.statement(sql::OUTCOME).bind(nonce).bind(change.entries);
        let rows = connections.run(&mut connection, outcome, deadline).await?;
        Ok(match rows.first().map(|row| row.integer("seq")) {
            None => None,
            Some(Ok(Some(seq))) if seq < 0 => Some(Outcome::Withdrawn(connection)),
            Some(_) => Some(Outcome::Committed(rows)),
        })
    }

    /// Notifies other nodes. This is a transaction of its own after the commit: notifications wait
    /// for each other, and the clock must not be locked in the meantime.
    async fn notify(&self, connection: Option<CheckedOut>, nonce: i64) -> Result<(), sqlx::Error> {
        let deadline = Instant::now() + NOTIFY_TIMEOUT;
        let mut connection = match connection {
            Some(connection) => connection,
            None => CheckedOut::acquire(&self.connections.main, deadline).await?,
        };
        let statement = self.statement(sql::NOTIFY).bind(nonce);
        match self.connections.run(connection.get(), statement, deadline).await {
            Ok(_) => {
                connection.give_back();
                Ok(())
            }
            Err(error) => {
                connection.give_back_after(&error, deadline).await;
                Err(error)
            }
        }
    }
}

/// Draws the first nonce of a change. Its entries have consecutive ones, which must not overflow.
pub(crate) fn draw_nonce() -> Result<i64, StoreError> {
    fresh_nonce().map(|nonce| (nonce >> 1).cast_signed()).map_err(StoreError::unavailable)
}

/// Returns a random pause, so that changes that collided do not collide again.
fn jitter(collisions: u32) -> Duration {
    let random = fresh_nonce().unwrap_or(0) % 20;
    Duration::from_millis((10 + random) * u64::from(collisions))
}
