//! Changes in a transaction of the host.

use hallpass_core::store::{ChangeTarget, StoreError};
use hallpass_core::{Actor, Error, Hallpass, Issued, NewToken, Owner, Uncommitted};
use sqlx::SqliteConnection;

use crate::sql;
use crate::store::SqliteStore;
use crate::write::Write;

/// Changes that are committed together with the host's own.
///
/// The connection must be in a transaction on the store's database. Begin it with `BEGIN IMMEDIATE`,
/// so that it does not fail because another connection has written meanwhile. Other changes of
/// tokens wait until it ends, so commit soon.
impl SqliteStore {
    /// Issues a token in a transaction of the host. The entry of the audit trail is part of it.
    ///
    /// The secret is only available after [`Uncommitted::committed`], to be called after the commit.
    /// If the transaction is rolled back, there is no token and no entry.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("app.db");
    /// use hallpass_core::{Actor, Hallpass, NewToken};
    /// use hallpass_sqlite::{SqliteStore, sqlx::{self, sqlite::{SqliteConnectOptions, SqlitePool}}};
    ///
    /// let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    /// let pool = SqlitePool::connect_with(options).await?;
    /// sqlx::query("CREATE TABLE jobs (name TEXT NOT NULL, token BLOB NOT NULL)").execute(&pool).await?;
    /// let store = SqliteStore::from_pool(&pool).await?;
    /// let hallpass = Hallpass::builder(store.clone()).build();
    ///
    /// let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    /// let new = NewToken::named("nightly");
    /// let pending =
    ///     store.issue_in(&mut transaction, &hallpass, &Actor::owner("alice"), new).await?;
    /// sqlx::query("INSERT INTO jobs VALUES ('nightly', ?)")
    ///     .bind(pending.record().id.as_uuid().as_bytes().as_slice())
    ///     .execute(&mut *transaction)
    ///     .await?;
    /// transaction.commit().await?;
    /// let issued = pending.committed();
    /// assert!(hallpass.authenticate(issued.token.reveal().as_bytes()).await.is_ok());
    /// # store.close().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Hallpass::issue`], and an unavailable store error if the connection is
    /// not in a transaction or is to another database.
    pub async fn issue_in(
        &self,
        connection: &mut SqliteConnection,
        hallpass: &Hallpass,
        by: &Actor,
        new: NewToken,
    ) -> Result<Uncommitted<Issued>, Error> {
        let mut write = self.join(connection).await?;
        hallpass
            .issue_with(by, new, async |token, limit, event| {
                write.insert(token, limit).await?;
                write.log(&ChangeTarget::Token(token.record.id), event).await
            })
            .await
    }

    /// Deletes all tokens of an owner in a transaction of the host, for example the one that deletes
    /// the account. Returns how many there were.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Hallpass::delete_owner`], and an unavailable store error if the
    /// connection is not in a transaction or is to another database.
    pub async fn delete_owner_in(
        &self,
        connection: &mut SqliteConnection,
        hallpass: &Hallpass,
        by: &Actor,
        owner: &Owner,
    ) -> Result<Uncommitted<u64>, Error> {
        let mut write = self.join(connection).await?;
        hallpass
            .delete_owner_with(by, owner, async |owner, event| {
                let delete = sqlx::query(sql::DELETE_OWNER).bind(owner.as_str());
                let count = write.run(delete).await?;
                write.log_bulk(&ChangeTarget::Owner(owner.clone()), event, count).await
            })
            .await
    }

    async fn join<'s>(
        &'s self,
        connection: &'s mut SqliteConnection,
    ) -> Result<Write<'s, &'s mut SqliteConnection>, StoreError> {
        Write::join(connection, &self.file, &self.commits).await
    }
}
