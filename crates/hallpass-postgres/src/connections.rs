//! The connections of a store, and how long anything may take on them.

use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Postgres};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::literal::{Literal, Script};
use crate::row;
use crate::to_its_end::ToItsEnd;
use crate::trouble::{Trouble, is_an_answer, trouble};

/// How long a call waits for a connection.
pub(crate) const ACQUIRE: Duration = Duration::from_millis(500);

/// How long it may take to connect. Longer than anybody waits for it: whoever comes next finds the
/// connection there.
const CONNECT: Duration = Duration::from_secs(2);

/// How many changes one node makes at once. They wait for each other at the clock anyway, and
/// look-ups shall find a connection.
const WRITERS: usize = 4;

/// How often a read is tried again when its connection turns out to be dead: after a restart of the
/// server all of them are.
const DEAD: u32 = 16;

/// The connections of a store.
pub(crate) struct Connections {
    /// For look-ups and changes: the host's, or one of our own.
    pub(crate) main: PgPool,
    /// One connection, with which the cache follows the log, whatever the others wait for.
    pub(crate) sync: PgPool,
    /// Whoever wants to change something waits in line here.
    pub(crate) writers: Arc<Semaphore>,
    options: PgConnectOptions,
    is_own: bool,
    prepares: bool,
}

impl Connections {
    pub(crate) fn own(options: &PgConnectOptions, size: u32, prepares: bool) -> Self {
        let main = pool(size).connect_lazy_with(options.clone());
        Self::with(main, options, true, prepares)
    }

    pub(crate) fn of_host(main: PgPool, options: &PgConnectOptions, prepares: bool) -> Self {
        Self::with(main, options, false, prepares)
    }

    fn with(main: PgPool, options: &PgConnectOptions, is_own: bool, prepares: bool) -> Self {
        let sync = pool(1).connect_lazy_with(options.clone());
        let writers = Arc::new(Semaphore::new(WRITERS));
        Self { main, sync, writers, options: options.clone(), is_own, prepares }
    }

    /// Closes them; the host's pool is the host's.
    pub(crate) async fn close(&self) {
        self.writers.close();
        self.sync.close().await;
        if self.is_own {
            self.main.close().await;
        }
    }

    /// A connection that was not there before, outside of the pools: for when others may all be
    /// dead.
    pub(crate) async fn fresh(&self, until: Instant) -> Result<PgConnection, sqlx::Error> {
        timeout_at(until, self.options.connect()).await.unwrap_or_else(|_| Err(late()))
    }

    /// A statement that only reads, in the form that these connections take.
    pub(crate) fn question(&self, sql: &'static str, values: Vec<Value>) -> Question {
        if self.prepares {
            Question::Prepared(sql, values)
        } else {
            let literals: Vec<_> = values.iter().map(Value::literal).collect();
            Question::Script(Script::new(sql, &literals))
        }
    }
}

/// What every connection of our own has in common.
pub(crate) fn options(options: PgConnectOptions, prepares: bool) -> PgConnectOptions {
    let options = match options.get_application_name() {
        None => options.application_name("hallpass"),
        Some(_) => options,
    };
    let options = options.disable_statement_logging();
    if prepares {
        options
    } else {
        // A pooler refuses settings that it does not know.
        options.statement_cache_capacity(0).extra_float_digits(None)
    }
}

pub(crate) fn pool(size: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(CONNECT)
        // That would be a second round trip. Who reads tries again, and who writes begins with a statement that
        // changes nothing.
        .test_before_acquire(false)
}

/// A value of a statement that may be prepared.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
}

impl Value {
    fn literal(&self) -> Literal {
        match self {
            Self::Text(text) => Literal::text(text),
            Self::Integer(number) => Literal::integer(*number),
        }
    }
}

/// What is to be read, or done in one go.
#[derive(Clone, Debug)]
pub(crate) enum Question {
    /// Planned once for each connection.
    Prepared(&'static str, Vec<Value>),
    /// Sent as it is.
    Script(Script),
}

impl Question {
    /// Runs it to its end. Not `fetch_one` nor `fetch_optional`: they return with the first row,
    /// before the server has said that it is done, or that it is not.
    async fn run(&self, connection: &mut PgConnection) -> Result<Vec<PgRow>, sqlx::Error> {
        match self {
            Self::Prepared(sql, values) => {
                let mut query = sqlx::query(*sql);
                for value in values {
                    query = match value {
                        Value::Text(text) => query.bind(text.clone()),
                        Value::Integer(number) => query.bind(*number),
                    };
                }
                query.fetch_all(connection).await
            }
            Self::Script(script) => sqlx::raw_sql(script.to_sql()).fetch_all(connection).await,
        }
    }
}

/// A connection in use. Dropped before it is [given back](Self::give_back), it is closed: nobody
/// knows what state it is in, and to find out may take as long as a dead line takes.
#[derive(Debug)]
pub(crate) struct Held(Option<PoolConnection<Postgres>>);

impl Held {
    pub(crate) async fn acquire(pool: &PgPool, until: Instant) -> Result<Self, sqlx::Error> {
        if let Some(connection) = pool.try_acquire() {
            return Ok(Self(Some(connection)));
        }
        let until = until.min(Instant::now() + ACQUIRE);
        // The host's pool has a patience of its own, and whoever does not wait any more must not keep his place there.
        let acquired = if pool.options().get_acquire_timeout() > CONNECT {
            timeout_at(until, pool.acquire()).await
        } else {
            // A task of its own: else each of many who wait would begin to connect and break off, on a server that is
            // slow already.
            let pool = pool.clone();
            let acquiring = tokio::spawn(async move { pool.acquire().await });
            let acquired = timeout_at(until, acquiring).await;
            acquired.map(|acquired| acquired.unwrap_or(Err(sqlx::Error::WorkerCrashed)))
        };
        acquired.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map(|connection| Self(Some(connection)))
    }

    pub(crate) async fn run(&mut self, question: &Question) -> Result<Vec<PgRow>, sqlx::Error> {
        question.run(self.connection()).await
    }

    /// Gives it back once the server is done with what it has refused: it says so before it lets go
    /// of what it has locked, and whoever tries again would find that locked.
    async fn give_back_when_done(mut self, until: Instant) {
        if let Ok(Ok(())) = timeout_at(until, self.connection().ping()).await {
            self.give_back();
        }
    }

    fn connection(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("it is there until it is given back")
    }

    pub(crate) fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

/// Does what may be done twice: reads, and writes that come to the same. A connection that turns
/// out to be dead is replaced.
pub(crate) async fn ask(
    pool: &PgPool,
    question: &Question,
    until: Instant,
) -> Result<Vec<PgRow>, sqlx::Error> {
    let mut dead = 0;
    loop {
        let mut held = Held::acquire(pool, until).await?;
        let error = match timeout_at(until, held.run(question)).await {
            Ok(Ok(rows)) => {
                // Else it is closed, and the next one may lead to the primary.
                if !row::is_of_standby(&rows) {
                    held.give_back();
                }
                return Ok(rows);
            }
            Ok(Err(error)) => error,
            Err(_) => return Err(late()),
        };
        if is_an_answer(&error) {
            held.give_back_when_done(until).await;
            return Err(error);
        }
        if trouble(&error) != Trouble::Lost || dead == DEAD {
            return Err(error);
        }
        dead += 1;
    }
}

/// As [`ask`], to its end even if the caller goes away: the connection stays usable.
pub(crate) async fn ask_apart(
    pool: &PgPool,
    question: Question,
    patience: Duration,
) -> Result<Vec<PgRow>, sqlx::Error> {
    let (pool, until) = (pool.clone(), Instant::now() + patience);
    ToItsEnd::of(async move { ask(&pool, &question, until).await }).await
}

/// The server took too long.
pub(crate) fn late() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())
}
