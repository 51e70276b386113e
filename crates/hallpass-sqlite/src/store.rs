//! [`SqliteStore`], and how it is opened and closed.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use hallpass_core::store::StoreError;
use sqlx::SqlitePool;
use tokio::sync::Notify;

use crate::connections::Connections;
use crate::file::DatabaseFile;
use crate::open::ConnectError;
use crate::schema::{self, Tenancy};
use crate::write::Write;

/// A token store in a SQLite database. Clones share its connections.
///
/// It needs a tokio runtime with I/O and time enabled. The [crate] describes its guarantees.
#[derive(Clone)]
pub struct SqliteStore {
    pub(crate) connections: Connections,
    pub(crate) file: Arc<DatabaseFile>,
    /// Notified of each commit of this store and its clones.
    pub(crate) commits: Arc<Notify>,
}

impl SqliteStore {
    /// Opens the database at a path, and creates it if it does not exist. The directory must exist.
    ///
    /// # Errors
    ///
    /// Returns a [`ConnectError`] if the path cannot be reached or written, or if the file is not a
    /// Hallpass database that this version supports. In that case the file is left unchanged.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, ConnectError> {
        Self::open_as(path.as_ref(), Tenancy::Exclusive).await
    }

    /// Opens the host's own database, and creates the store's tables in it. Their names begin with
    /// `hallpass_`.
    ///
    /// The store uses connections of its own. It switches the file to WAL mode if necessary. SQLite
    /// stores the mode in the file.
    ///
    /// # Errors
    ///
    /// Returns a [`ConnectError`] if the path cannot be reached or written, or if the store's
    /// tables in it are of a newer version.
    pub async fn open_shared(path: impl AsRef<Path>) -> Result<Self, ConnectError> {
        Self::open_as(path.as_ref(), Tenancy::Shared).await
    }

    /// Opens the database of the host's pool, as [`open_shared`](Self::open_shared) does.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("app.db");
    /// use hallpass_sqlite::{SqliteStore, sqlx::sqlite::{SqliteConnectOptions, SqlitePool}};
    ///
    /// let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    /// let pool = SqlitePool::connect_with(options).await?;
    /// let store = SqliteStore::from_pool(&pool).await?;
    /// # store.close().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`ConnectError::InMemory`] if the pool is for an in-memory database. Otherwise
    /// returns the errors of [`open_shared`](Self::open_shared).
    pub async fn from_pool(pool: &SqlitePool) -> Result<Self, ConnectError> {
        let options = pool.connect_options();
        let path = options.get_filename();
        // The driver opens an in-memory database with shared cache by such an address.
        if path.to_str().is_some_and(|path| path == ":memory:" || path.starts_with("file:")) {
            return Err(ConnectError::InMemory);
        }
        Self::open_shared(path).await
    }

    async fn open_as(path: &Path, tenancy: Tenancy) -> Result<Self, ConnectError> {
        let file = DatabaseFile::locate(path)?;
        schema::inspect(file.path(), tenancy).await?;
        let connections = Connections::prepare(file.path());
        if let Err(error) = schema::prepare(&connections.writer, file.path(), tenancy).await {
            connections.close().await;
            return Err(error);
        }
        Ok(Self { connections, file: Arc::new(file), commits: Arc::default() })
    }

    /// Opens the database at an address such as `sqlite:tokens.db` or
    /// `sqlite:///var/lib/app/tokens.db`. Everything after `sqlite:` or `sqlite://` is the path.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let address = format!("sqlite:{}", directory.path().join("tokens.db").display());
    /// use hallpass_sqlite::{ConnectError, SqliteStore};
    ///
    /// let store = SqliteStore::connect(&address).await?;
    /// let refused = SqliteStore::connect("mysql:tokens").await;
    /// assert!(matches!(refused, Err(ConnectError::Address)));
    /// # store.close().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`ConnectError::Address`] for any other text, including `sqlite::memory:` and
    /// parameters after a `?`. Otherwise returns the errors of [`open`](Self::open).
    pub async fn connect(address: &str) -> Result<Self, ConnectError> {
        let path = address.strip_prefix("sqlite:").ok_or(ConnectError::Address)?;
        let path = path.strip_prefix("//").unwrap_or(path);
        // Other libraries give these texts a meaning other than the name of a file.
        if path.is_empty() || path == ":memory:" || path.contains('?') {
            return Err(ConnectError::Address);
        }
        Self::open(path).await
    }

    /// Closes all connections after the running calls have ended. The clones are closed as well:
    /// later calls return an unavailable error.
    pub async fn close(&self) {
        self.connections.close().await;
    }

    /// Begins a write transaction.
    pub(crate) async fn write(&self) -> Result<Write<'_>, StoreError> {
        Write::begin(&self.connections.writer, &self.file, &self.commits).await
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.file.path()).finish_non_exhaustive()
    }
}
