use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hallpass_core::store::StoreError;
use sqlx::postgres::{PgConnectOptions, PgPool};

use crate::connections::{self, Connections};
use crate::guards::Guards;
use crate::nudge::Nudges;
use crate::open::{ConnectError, Place};
use crate::row::Line;
use crate::schema::{self, Wish};
use crate::settings::{PostgresSettings, parse};
use crate::write::{self, Turn, Work};

/// Tokens in a PostgreSQL database. Clones share its connections.
///
/// Opened and used in a tokio runtime with I/O and time enabled. See the [crate] for what it
/// promises.
#[derive(Clone)]
pub struct PostgresStore {
    pub(crate) connections: Arc<Connections>,
    pub(crate) nudges: Arc<Nudges>,
    pub(crate) lookup_deadline: Duration,
    pub(crate) guards: Guards,
    notifies: bool,
    place: Place,
}

impl PostgresStore {
    pub(crate) fn new(
        connections: Connections,
        options: &PgConnectOptions,
        settings: &PostgresSettings,
    ) -> Self {
        let server = (!settings.polls_only).then(|| options.clone());
        Self {
            connections: Arc::new(connections),
            nudges: Arc::new(Nudges::new(server)),
            lookup_deadline: settings.lookup_deadline,
            guards: settings.guards,
            notifies: settings.notifies,
            place: Place::of(options),
        }
    }

    /// Opens the store at a URL such as `postgres://user:password@host:5432/database`; creates or
    /// updates its schema if need be. [`PostgresSettings`] has more to choose.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]: the server cannot be reached, or the database is not one to work on.
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        PostgresSettings::default().connect(url).await
    }

    /// Opens the store with a pool of the host's; see [`PostgresSettings::open`].
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub async fn open(pool: PgPool) -> Result<Self, ConnectError> {
        PostgresSettings::default().open(pool).await
    }

    /// Creates the schema `hallpass`, or brings it to this version's, and leaves the rest: for
    /// deployments whose services run as a role that may not. Does nothing if it is right already.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], [`ConnectError::Newer`] among others.
    pub async fn migrate(url: &str) -> Result<(), ConnectError> {
        schema::prepare(&connections::options(parse(url)?, false), Wish::Migrate).await
    }

    /// Closes the connections of its own, once the calls that run have ended, and listens no more.
    /// Clones are closed too: what is asked of them later is unavailable. A pool of the host's
    /// stays open.
    pub async fn close(&self) {
        self.nudges.close();
        self.connections.close().await;
    }

    /// Makes a change, and tells of it.
    pub(crate) async fn change_with(&self, work: Work) -> Result<Vec<Line>, StoreError> {
        self.change_in(Turn::wait(&self.connections).await?, work).await
    }

    /// As [`change_with`](Self::change_with), for whoever has waited already.
    pub(crate) async fn change_in(&self, turn: Turn, work: Work) -> Result<Vec<Line>, StoreError> {
        let work = work.notify(self.notifies).under(self.guards);
        let lines = write::change(&self.connections, turn, work).await?;
        if let Some(last) = lines.iter().filter_map(|line| line.seq).max() {
            self.nudges.tell(last);
        }
        Ok(lines)
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("place", &self.place).finish_non_exhaustive()
    }
}
