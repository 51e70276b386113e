//! How a change is made, and how it is found out whether it stands.
//!
//! A change is two messages. The first begins a transaction and asks for its number; the second
//! does everything else and commits. So the clock's row is locked for as long as the server takes
//! to commit, however far away it is. And if the connection is lost, the number tells: a
//! transaction whose commit has not arrived by then is undone by the server within a second, and
//! one whose commit has arrived is committed.

use std::sync::Arc;
use std::time::Duration;

use hallpass_core::store::{StoreError, fresh_nonce};
use hallpass_core::{Event, Owner};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, timeout_at};

use crate::connections::{Connections, Held, Question, late};
use crate::guards::Guards;
use crate::literal::{Literal, Script};
use crate::row::{self, Line};
use crate::sql;
use crate::trouble::{Trouble, is_an_answer, refused, trouble};

/// How long a change may wait in line and be under way.
const PATIENCE: Duration = Duration::from_millis(1400);

/// By when it is known whether it stands: the two seconds that are promised.
const CERTAINTY: Duration = Duration::from_millis(1900);

/// How often a change is tried again that another one was in the way of.
const COLLISIONS: u32 = 3;

/// How long it takes until it is asked again what has become of a transaction.
const PAUSE: Duration = Duration::from_millis(20);

/// What is to be changed.
#[derive(Debug)]
pub(crate) struct Work {
    /// Whose other changes are waited for first.
    owner: Option<Literal>,
    template: &'static str,
    values: Vec<Literal>,
    event: [Literal; 7],
    nonces: Vec<i64>,
    notify: bool,
    guards: Guards,
}

impl Work {
    /// A change that logs at most so many lines. The values are those from `$2` on.
    pub(crate) fn new(
        template: &'static str,
        lines: usize,
        event: &Event,
        values: impl IntoIterator<Item = Literal>,
    ) -> Result<Self, StoreError> {
        let event = row::event_literals(event);
        let nonces: Result<Vec<_>, _> =
            (0..lines).map(|_| fresh_nonce().map(u64::cast_signed)).collect();
        let nonces = nonces.map_err(StoreError::unavailable)?;
        let first = [Literal::integers(nonces.iter().copied())];
        let values = first.into_iter().chain(values).collect();
        Ok(Self { owner: None, template, values, event, nonces, notify: true, guards: Guards::ON })
    }

    /// Waits for other changes to this owner's tokens first, and sees what they did.
    pub(crate) fn after_others_of(mut self, owner: &Owner) -> Self {
        self.owner = Some(Literal::text(owner.as_str()));
        self
    }

    /// Whether those who listen are told.
    pub(crate) fn notify(mut self, notify: bool) -> Self {
        self.notify = notify;
        self
    }

    /// Which guards are on.
    pub(crate) fn under(mut self, guards: Guards) -> Self {
        self.guards = guards;
        self
    }

    fn begin(&self) -> Script {
        let mut script = Script::new(self.guards.sql(sql::BEGIN), &[]);
        if let Some(owner) = &self.owner {
            script.push(self.guards.sql(sql::LOCK_OWNER), std::slice::from_ref(owner));
        }
        script
    }

    fn finish(&self) -> Script {
        let mut script = Script::default();
        script.push_with_event(self.guards.sql(self.template), &self.values, &self.event);
        script.push(sql::COMMIT, &[]);
        if self.notify
            && let Some(last) = self.nonces.last()
        {
            script.push(sql::NOTIFY, &[Literal::integer(*last)]);
        }
        script
    }
}

/// A transaction that was begun.
#[derive(Debug)]
struct Begun {
    held: Held,
    /// Its number.
    transaction: Literal,
    /// How far the log was before.
    head: i64,
}

/// What became of a transaction.
#[derive(Debug)]
enum Outcome {
    /// It stands, and logged this.
    Committed(Vec<PgRow>),
    Undone,
    Unknown,
}

/// A place among those who make changes, which is theirs until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _permit: OwnedSemaphorePermit,
    started: Instant,
    /// Whether others were before.
    pub(crate) waited: bool,
}

impl Turn {
    /// Waits in line.
    pub(crate) async fn wait(connections: &Connections) -> Result<Self, StoreError> {
        let started = Instant::now();
        let writers = Arc::clone(&connections.writers);
        let waited = writers.available_permits() == 0;
        let permit = timeout_at(started + PATIENCE, writers.acquire_owned()).await;
        let permit = permit.map_err(StoreError::unavailable)?.map_err(StoreError::unavailable)?;
        Ok(Self { _permit: permit, started, waited })
    }
}

/// Makes a change. Once it was begun it goes on to its end, even if the caller goes away.
pub(crate) async fn change(
    connections: &Arc<Connections>,
    turn: Turn,
    work: Work,
) -> Result<Vec<Line>, StoreError> {
    let connections = Arc::clone(connections);
    let changing = tokio::spawn(async move {
        let turn = turn;
        attempts(&connections, &work, turn.started).await
    });
    // Nobody stops it but the runtime's end.
    let rows = changing.await.map_err(StoreError::outcome_unknown)??;
    row::lines(&rows)
}

async fn attempts(
    connections: &Connections,
    work: &Work,
    started: Instant,
) -> Result<Vec<PgRow>, StoreError> {
    let mut collisions = 0;
    loop {
        let error = match attempt(connections, work, started).await? {
            Ok(rows) => return Ok(rows),
            Err(error) => error,
        };
        if trouble(&error) != Trouble::Collision || collisions == COLLISIONS {
            return Err(refused(error));
        }
        collisions += 1;
        sleep(jitter(collisions)).await;
    }
}

/// Makes the change once. The inner error says that it does not stand, the outer one that nobody
/// knows.
async fn attempt(
    connections: &Connections,
    work: &Work,
    started: Instant,
) -> Result<Result<Vec<PgRow>, sqlx::Error>, StoreError> {
    let Begun { mut held, transaction, head } = match begin(connections, work, started).await {
        Ok(begun) => begun,
        Err(error) => return Ok(Err(error)),
    };
    let finish = Question::Script(work.finish());
    let error = match timeout_at(started + PATIENCE, held.run(&finish)).await {
        Ok(Ok(rows)) => {
            held.give_back();
            return Ok(Ok(rows));
        }
        Ok(Err(error)) => error,
        Err(_) => late(),
    };
    #[cfg(test)]
    if !work.guards.has(crate::guards::Guard::FoundOut) {
        return Ok(Err(error));
    }
    let until = started + CERTAINTY;
    let status = if is_an_answer(&error) {
        status_here(held, &transaction, until).await
    } else {
        drop(held);
        None
    };
    match outcome(connections, &transaction, status, head, &work.nonces, until).await {
        Outcome::Committed(rows) => {
            tracing::warn!(
                target: "hallpass",
                %error,
                "a change was made, but its last step failed: other nodes learn of it when they next look"
            );
            Ok(Ok(rows))
        }
        Outcome::Undone => Ok(Err(error)),
        Outcome::Unknown => Err(StoreError::outcome_unknown(error)),
    }
}

/// Begins a transaction, on another connection if one turns out to be dead: nothing has been
/// changed yet.
async fn begin(
    connections: &Connections,
    work: &Work,
    started: Instant,
) -> Result<Begun, sqlx::Error> {
    let begin = Question::Script(work.begin());
    loop {
        let mut held = Held::acquire(&connections.main, started + PATIENCE).await?;
        match timeout_at(started + PATIENCE, held.run(&begin)).await {
            Ok(Ok(rows)) => {
                let (transaction, head) = row::begun(&rows)?;
                return Ok(Begun { held, transaction, head });
            }
            Ok(Err(error)) if trouble(&error) == Trouble::Lost => {}
            Ok(Err(error)) => return Err(error),
            Err(_) => return Err(late()),
        }
    }
}

/// What became of a transaction, asked on its own connection, which is then fit for use again.
async fn status_here(mut held: Held, transaction: &Literal, until: Instant) -> Option<String> {
    let question = Script::new(sql::OUTCOME_HERE, std::slice::from_ref(transaction));
    let answer = timeout_at(until, held.run(&Question::Script(question))).await;
    let rows = answer.ok()?.ok()?;
    held.give_back();
    row::status(&rows)
}

/// What became of a transaction, asked again and again until it is over or time is.
///
/// On a connection of its own: what took one of the others may have taken all.
async fn outcome(
    connections: &Connections,
    transaction: &Literal,
    mut status: Option<String>,
    head: i64,
    nonces: &[i64],
    until: Instant,
) -> Outcome {
    let status_of = Script::new(sql::OUTCOME, std::slice::from_ref(transaction));
    let nonces = Literal::integers(nonces.iter().copied());
    // Asked for after it was committed, so that it is seen. After a failover the number may be somebody else's:
    // only what was logged counts.
    let logged = Script::new(sql::LOGGED, &[nonces, Literal::integer(head)]);
    let mut connection = None;
    while Instant::now() < until {
        let is_committed = status.as_deref() == Some("committed");
        if status.as_deref() == Some("aborted") {
            return Outcome::Undone;
        }
        let question = if is_committed { &logged } else { &status_of };
        match ask_fresh(connections, &mut connection, question, until).await {
            Ok(rows) if is_committed => return Outcome::Committed(rows),
            Ok(rows) => status = row::status(&rows),
            // A number that this server has not drawn yet: it is another one, without that transaction.
            Err(error) if trouble(&error) == Trouble::Corrupt => return Outcome::Undone,
            Err(_) => connection = None,
        }
        if !matches!(status.as_deref(), Some("committed" | "aborted")) {
            sleep(PAUSE).await;
        }
    }
    Outcome::Unknown
}

/// Asks on that connection, which is made if it is not there.
async fn ask_fresh(
    connections: &Connections,
    connection: &mut Option<PgConnection>,
    question: &Script,
    until: Instant,
) -> Result<Vec<PgRow>, sqlx::Error> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(connections.fresh(until).await?),
    };
    let asked = sqlx::raw_sql(question.to_sql()).fetch_all(connection);
    timeout_at(until, asked).await.unwrap_or_else(|_| Err(late()))
}

/// Some milliseconds, so that those who were in each other's way are not so again.
fn jitter(collisions: u32) -> Duration {
    let random = fresh_nonce().unwrap_or(0) % 1024;
    Duration::from_micros((10_000 + random * 20) * u64::from(collisions))
}
