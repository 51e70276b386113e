//! Changes in a transaction of the host.

use hallpass_core::store::{ChangeTarget, StoreError};
use hallpass_core::{Actor, Error, Hallpass, Issued, NewToken, Owner, Uncommitted};
use sqlx::{Sqlite, SqliteConnection, Transaction};

use crate::sql;
use crate::store::SqliteStore;
use crate::write::Write;

/// Changes that are committed together with the host's own.
///
/// The connection must be in a transaction on the store's database:
///
/// - Begin the transaction with `BEGIN IMMEDIATE`. A transaction that only reads at first cannot
///   write after another connection has written, so the change would fail.
/// - Commit it soon, because other changes to tokens wait until it ends.
impl SqliteStore {
    /// Issues a token in a transaction of the host, which also writes the entry of the audit trail.
    ///
    /// The secret is available from [`Uncommitted::committed`], which is called after the commit.
    /// If the transaction is rolled back, neither the token nor the entry exists.
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
    /// Returns the errors of [`Hallpass::issue`], and an unavailable store error if the connection
    /// is not in a transaction or is to another database.
    pub async fn issue_in(
        &self,
        connection: &mut SqliteConnection,
        hallpass: &Hallpass,
        by: &Actor,
        new: NewToken,
    ) -> Result<Uncommitted<Issued>, Error> {
        let mut write = self.join(connection).await?;
        let pending = hallpass
            .issue_with(by, new, async |token, limit, event| {
                write.insert(token, limit).await?;
                write.log(&ChangeTarget::Token(token.record.id), event).await
            })
            .await?;
        write.release().await?;
        Ok(pending)
    }

    /// Deletes all tokens of an owner in a transaction of the host, such as the one that deletes
    /// the account. Returns the number of deleted tokens.
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
        let pending = hallpass
            .delete_owner_with(by, owner, async |owner, event| {
                let delete = sqlx::query(sql::DELETE_OWNER).bind(owner.as_str());
                let count = write.run(delete).await?;
                write.log_bulk(&ChangeTarget::Owner(owner.clone()), event, count).await
            })
            .await?;
        write.release().await?;
        Ok(pending)
    }

    async fn join<'s>(
        &'s self,
        connection: &'s mut SqliteConnection,
    ) -> Result<Write<'s, Transaction<'s, Sqlite>>, StoreError> {
        Write::join(connection, &self.file, &self.commits).await
    }
}
