use std::fmt;
use std::path::Path;
use std::sync::Arc;

use hallpass_core::store::StoreError;
use tokio::sync::Notify;

use crate::connections::Connections;
use crate::file::DatabaseFile;
use crate::open::ConnectError;
use crate::schema;
use crate::write::Write;

/// Tokens in a SQLite database. Clones share its connections.
///
/// Opened and used in a tokio runtime with I/O and time enabled. See the [crate] for what it
/// promises.
#[derive(Clone)]
pub struct SqliteStore {
    pub(crate) connections: Connections,
    pub(crate) file: Arc<DatabaseFile>,
    /// Told of each commit of this handle's.
    pub(crate) commits: Arc<Notify>,
}

impl SqliteStore {
    /// Opens the database at that path; creates it if there is none. Its directory must exist.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]: the path leads nowhere, or to something else than Hallpass's database, or it
    /// cannot be written. Whatever lies there stays as it is.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, ConnectError> {
        let file = DatabaseFile::locate(path.as_ref())?;
        schema::inspect(file.path()).await?;
        let connections = Connections::prepare(file.path());
        if let Err(error) = schema::prepare(&connections.writer, file.path()).await {
            connections.close().await;
            return Err(error);
        }
        Ok(Self { connections, file: Arc::new(file), commits: Arc::default() })
    }

    /// Opens the database at an address such as `sqlite:tokens.db` or `sqlite:///var/lib/app/tokens.db`: what
    /// follows `sqlite:`, or `sqlite://`, is the path as it is.
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
    /// [`ConnectError::Address`] for any other text, `sqlite::memory:` and parameters after a `?` among
    /// them; otherwise as [`open`](Self::open).
    pub async fn connect(address: &str) -> Result<Self, ConnectError> {
        let path = address.strip_prefix("sqlite:").ok_or(ConnectError::Address)?;
        let path = path.strip_prefix("//").unwrap_or(path);
        // What other libraries would understand by it is not a file of that name.
        if path.is_empty() || path == ":memory:" || path.contains('?') {
            return Err(ConnectError::Address);
        }
        Self::open(path).await
    }

    /// Closes all connections, once the calls that run have ended. Clones are closed too: what is asked
    /// of them later is unavailable.
    pub async fn close(&self) {
        self.connections.close().await;
    }

    pub(crate) async fn write(&self) -> Result<Write<'_>, StoreError> {
        Write::begin(&self.connections.writer, &self.file, &self.commits).await
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.file.path()).finish_non_exhaustive()
    }
}
