//! Changes in a transaction of the host.

use hallpass_core::store::StoreError;
use hallpass_core::{Actor, Error, Hallpass, Issued, NewToken, Owner, Uncommitted};
use sqlx::{Connection as _, PgConnection, Row as _};
use tokio::time::{Instant, timeout_at};

use crate::change::{CHANGE_TIMEOUT, Change, Line, draw_nonce};
use crate::connections::timed_out;
use crate::schema::SchemaId;
use crate::sql;
use crate::store::PostgresStore;
use crate::tokens::{bulk_result, deletion_of_owner, inserted, insertion};

/// Changes that are committed together with the host's own.
///
/// The connection must be in a transaction on the store's database:
///
/// - Begin the transaction with the driver (`pool.begin()`). Its role needs the rights in
///   `roles.sql`.
/// - Make the change last and commit soon, because other changes to tokens wait from the change
///   until the transaction ends.
/// - Use the isolation level `read committed`. At a higher level, the change fails if another
///   change was committed since the transaction began.
impl PostgresStore {
    /// Issues a token in a transaction of the host, which also writes the entry of the audit trail.
    ///
    /// The secret is available from [`Uncommitted::committed`], which is called after the commit.
    /// If the transaction is rolled back, neither the token nor the entry exists.
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use hallpass_core::{Actor, Hallpass, NewToken};
    /// use hallpass_postgres::{PostgresStore, sqlx::{self, postgres::PgPool}};
    ///
    /// let pool = PgPool::connect("postgres://app@db.example/app").await?;
    /// let store = PostgresStore::from_pool(&pool).await?;
    /// let hallpass = Hallpass::builder(store.clone()).build();
    ///
    /// let mut transaction = pool.begin().await?;
    /// let new = NewToken::named("nightly");
    /// let pending =
    ///     store.issue_in(&mut transaction, &hallpass, &Actor::owner("alice"), new).await?;
    /// sqlx::query("INSERT INTO jobs (name, token) VALUES ('nightly', $1::uuid)")
    ///     .bind(pending.record().id.to_string())
    ///     .execute(&mut *transaction)
    ///     .await?;
    /// transaction.commit().await?;
    /// let issued = pending.committed();
    /// # drop(issued);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Hallpass::issue`], and an unavailable store error if the connection
    /// is not in a transaction or is to another database. After an error, the host's transaction
    /// does not contain the token, and can still be committed.
    pub async fn issue_in(
        &self,
        connection: &mut PgConnection,
        hallpass: &Hallpass,
        by: &Actor,
        new: NewToken,
    ) -> Result<Uncommitted<Issued>, Error> {
        let issuing = hallpass.issue_with(by, new, async |token, limit, event| {
            inserted(&self.change_in(connection, insertion(token, limit, event)).await?)
        });
        issuing.await
    }

    /// Deletes all tokens of an owner in a transaction of the host, such as the one that deletes
    /// the account. Returns the number of deleted tokens.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Hallpass::delete_owner`], and an unavailable store error if the
    /// connection is not in a transaction or is to another database. After an error, the tokens
    /// still exist, and the host's transaction can still be committed.
    pub async fn delete_owner_in(
        &self,
        connection: &mut PgConnection,
        hallpass: &Hallpass,
        by: &Actor,
        owner: &Owner,
    ) -> Result<Uncommitted<u64>, Error> {
        let deleting = hallpass.delete_owner_with(by, owner, async |owner, event| {
            Ok(bulk_result(&self.change_in(connection, deletion_of_owner(owner, event)).await?))
        });
        deleting.await
    }

    /// Makes a change in a savepoint of the host's transaction. If it fails or takes too long, it
    /// is not part of that transaction, even if the host ignores the error.
    async fn change_in(
        &self,
        connection: &mut PgConnection,
        change: Change,
    ) -> Result<Vec<Line>, StoreError> {
        if !connection.is_in_transaction() {
            return Err(StoreError::unavailable(HostTransactionError::NotBegun));
        }
        let nonce = draw_nonce()?;
        let is_kept = !self.connections.is_pooled;
        let deadline = Instant::now() + CHANGE_TIMEOUT;
        let changing = async {
            // In a transaction, this is a savepoint.
            let mut savepoint = connection.begin().await?;
            let host = self.statement(sql::HOST).persistent(is_kept);
            let host = host.fetch_one(&mut *savepoint).await.map_err(other_database)?;
            if SchemaId(host.try_get("created")?) != self.schema_id {
                return Err(sqlx::Error::Configuration(HostTransactionError::OtherDatabase.into()));
            }
            let lock_timeout: String = host.try_get("lock_timeout")?;
            let statement = change.statement(self, nonce).persistent(is_kept);
            let rows = statement.fetch_all(&mut *savepoint).await?;
            if self.notifies {
                // Other nodes are notified if and when the host commits.
                let notify = self.statement(sql::NOTIFY).bind(nonce).persistent(is_kept);
                notify.execute(&mut *savepoint).await?;
            }
            // The change has set its own value, which would stay until the end of the transaction.
            let restore = self.statement(sql::RESTORE_LOCK_TIMEOUT).bind(lock_timeout);
            restore.persistent(is_kept).execute(&mut *savepoint).await?;
            savepoint.commit().await?;
            Ok(rows)
        };
        let rows = timeout_at(deadline, changing).await.unwrap_or_else(|_| Err(timed_out()));
        rows.map_err(|error| self.connections.store_error(error))?.iter().map(Line::read).collect()
    }
}

/// The error for a connection of the host through which the store cannot write.
#[derive(Debug, thiserror::Error)]
enum HostTransactionError {
    #[error("the connection is not in a transaction: begin one first")]
    NotBegun,
    #[error("the connection is to another database: use one to the token store's database")]
    OtherDatabase,
}

/// Recognizes a database that does not contain the store's schema.
fn other_database(error: sqlx::Error) -> sqlx::Error {
    match error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() {
        Some("42P01") => sqlx::Error::Configuration(HostTransactionError::OtherDatabase.into()),
        _ => error,
    }
}
