//! [`SqliteStore`], and how it is opened and closed.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use hallpass_core::store::StoreError;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;
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
        Self::open_shared(file_of(&pool.connect_options())?).await
    }

    /// Opens the database at a URL such as `sqlite:app.db` or `sqlite:///var/lib/app/app.db`, as
    /// [`open_shared`](Self::open_shared) does.
    ///
    /// sqlx parses the URL, so the path may contain percent-encoded characters. The parameters
    /// `mode=rw`, `mode=rwc`, `cache=private` and `cache=shared` are accepted, because the URL may
    /// be that of the host's pool. They do not change the store.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let url = format!("sqlite:{}?mode=rwc", directory.path().join("app.db").display());
    /// use hallpass_sqlite::{ConnectError, SqliteStore};
    ///
    /// let store = SqliteStore::connect(&url).await?;
    /// let rejected = SqliteStore::connect("mysql:tokens").await;
    /// assert!(matches!(rejected, Err(ConnectError::Address)));
    /// # store.close().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`ConnectError::Address`] if the text is not such a URL,
    /// [`ConnectError::Parameter`] for another parameter, and [`ConnectError::InMemory`] if the URL
    /// is that of an in-memory database. Otherwise returns the errors of
    /// [`open_shared`](Self::open_shared).
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        if !url.starts_with("sqlite:") {
            return Err(ConnectError::Address);
        }
        let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter {
                "mode=rw" | "mode=rwc" | "cache=private" | "cache=shared" => {}
                "mode=memory" => return Err(ConnectError::InMemory),
                _ => {
                    let name = parameter.split('=').next().unwrap_or_default().to_owned();
                    return Err(ConnectError::Parameter { name });
                }
            }
        }
        let options: SqliteConnectOptions = url.parse().map_err(|_| ConnectError::Address)?;
        Self::open_shared(file_of(&options)?).await
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

/// Returns the database file of the driver's options.
fn file_of(options: &SqliteConnectOptions) -> Result<&Path, ConnectError> {
    let path = options.get_filename();
    if path.as_os_str().is_empty() {
        return Err(ConnectError::Address);
    }
    // The driver opens an in-memory database with shared cache by a name with `file:`.
    if path.to_str().is_some_and(|path| path == ":memory:" || path.starts_with("file:")) {
        return Err(ConnectError::InMemory);
    }
    Ok(path)
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.file.path()).finish_non_exhaustive()
    }
}
