//! The store contract: [`TokenStore`], the trait that connects Hallpass to a database.

mod audit;
mod change_log;
mod error;
mod list;
mod types;

use std::future::Future;

use jiff::Timestamp;

pub use self::{
    audit::{AuditEntry, AuditPage, AuditQuery},
    change_log::{
        ChangeBatch, ChangeEntry, ChangeSeq, ChangeTarget, LogPosition, Snapshot, fresh_nonce,
    },
    error::StoreError,
    list::{ListKey, ListPage, ListQuery, ListValue, Sort, SortBy, SortError, StatusCounts},
    types::{
        BulkResult, Change, ChangeKind, Deleted, PreviousSecret, Secrets, StoredToken, TokenUse,
    },
};
use crate::digest::Digest;
use crate::event::Event;
use crate::owner::Owner;
use crate::record::Revision;
use crate::token::TokenId;

/// Persistence for tokens, and the change log that caches and auditors read.
///
/// Implement each method as a plain `async fn`. No method has a default, so a decorator that does
/// not forward all of them does not compile. A store never sees a token's secret, only its
/// [`Digest`].
///
/// Applications do not call a store. They pass it to
/// [`Hallpass::builder`](crate::Hallpass::builder) and use the handle:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use hallpass_core::store::TokenStore;
/// use hallpass_core::{Actor, Hallpass, NewToken};
/// # use hallpass_memory::MemoryStore;
///
/// let store = MemoryStore::new();
/// let hallpass = Hallpass::builder(store.clone()).build();
/// let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await?;
///
/// let snapshot = store.get(issued.record.id).await?;
/// assert_eq!(snapshot.value.unwrap().record, issued.record);
/// assert_eq!(snapshot.as_of.get(), 1, "issuing wrote the first log entry");
/// # Ok(()) }
/// ```
///
/// # Contract
///
/// - **A change and its record are one.** Each method that takes an [`Event`] writes it to the log
///   in the same transaction as the change. If the log cannot be written, nothing is changed.
/// - **Sequence order is commit order.** A log entry gets the next [`ChangeSeq`] as the last step
///   of its transaction, so that the numbers have no gaps and a reader never sees a later one
///   first.
/// - **Snapshots.** [`get`](Self::get) returns the number that the log had in the snapshot that the
///   record was read from.
/// - **All or nothing.** A call that returns an error has changed nothing, unless the error is
///   [`outcome_unknown`](StoreError::outcome_unknown).
/// - **Deadlines.** A call returns within a second or two, with
///   [`unavailable`](StoreError::unavailable) if necessary. Dropping its future changes nothing
///   that was not committed.
/// - **Milliseconds.** Times are stored with millisecond precision, and the handle passes only
///   whole milliseconds.
///
/// # What a log entry invalidates
///
/// Each log entry has a [`ChangeTarget`]:
///
/// | change | target |
/// |---|---|
/// | to one token | [`ChangeTarget::Token`] |
/// | to all tokens of an owner, or to the owner's permissions | [`ChangeTarget::Owner`] |
/// | to the tokens of all owners | [`ChangeTarget::All`] |
/// | pruning, which deletes only tokens that no check accepts | [`ChangeTarget::None`] |
///
/// The event of a change to one token names that token, and the event of a change to an owner names
/// that owner. So a store only needs to keep the event and the kind of the target.
pub trait TokenStore: Send + Sync + 'static {
    /// Adds a token unless its owner would then have more than `limit` tokens, of any status.
    /// Counting and inserting are one atomic step: of many concurrent calls, exactly as many
    /// succeed as fit.
    ///
    /// # Errors
    ///
    /// Returns [`duplicate`](StoreError::duplicate) if the id is taken, and
    /// [`limit_reached`](StoreError::limit_reached) if the owner has `limit` tokens or more.
    fn insert(
        &self,
        token: &StoredToken,
        limit: Option<u32>,
        event: &Event,
    ) -> impl Future<Output = Result<ChangeSeq, StoreError>> + Send;

    /// Reads a token from the primary. A token that does not exist is `Ok` with `None`.
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot be read.
    fn get(
        &self,
        id: TokenId,
    ) -> impl Future<Output = Result<Snapshot<Option<StoredToken>>, StoreError>> + Send;

    /// Reads one page of records, and counts all records that the filters match, by status.
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot be read.
    fn list(&self, query: &ListQuery) -> impl Future<Output = Result<ListPage, StoreError>> + Send;

    /// Replaces a token's record, and its secrets if the change brings any, if the token is still
    /// at [`Change::expected`]. `last_used_at` stays as it is.
    ///
    /// # Errors
    ///
    /// Returns [`conflict`](StoreError::conflict) if the token is at another revision, and
    /// [`not_found`](StoreError::not_found) if it does not exist.
    fn update(
        &self,
        change: &Change,
        event: &Event,
    ) -> impl Future<Output = Result<ChangeSeq, StoreError>> + Send;

    /// Replaces a token's secrets if its current digest is still `expected`. The revision stays,
    /// because nothing that a person sees has changed.
    ///
    /// # Errors
    ///
    /// Returns [`conflict`](StoreError::conflict) if the token has another digest, and
    /// [`not_found`](StoreError::not_found) if it does not exist.
    fn replace_digest(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
        event: &Event,
    ) -> impl Future<Output = Result<ChangeSeq, StoreError>> + Send;

    /// Deletes a token, if it is at the expected revision or no revision is expected.
    ///
    /// # Errors
    ///
    /// Returns [`conflict`](StoreError::conflict) if the token is at another revision, and
    /// [`not_found`](StoreError::not_found) if it does not exist.
    fn delete(
        &self,
        id: TokenId,
        expected: Option<Revision>,
        event: &Event,
    ) -> impl Future<Output = Result<ChangeSeq, StoreError>> + Send;

    /// Deletes those of the tokens that exist and, if `owner` is given, belong to that owner, in
    /// one transaction. Writes one log entry for each: `event` with `token_id` and `owner` filled
    /// in. The handle passes at most 500 ids.
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot be changed; no token is deleted then.
    fn delete_many(
        &self,
        owner: Option<&Owner>,
        ids: &[TokenId],
        event: &Event,
    ) -> impl Future<Output = Result<Deleted, StoreError>> + Send;

    /// Deletes all tokens of an owner. Writes one log entry, `event` with `count` filled in, or
    /// none if the owner has no tokens.
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot be changed.
    fn delete_owner(
        &self,
        owner: &Owner,
        event: &Event,
    ) -> impl Future<Output = Result<BulkResult, StoreError>> + Send;

    /// Revokes all tokens of an owner that are not revoked yet and, if `issued_before` is given,
    /// whose secret is older than that ([`TokenRecord::secret_issued_at`]). Each revision goes up
    /// by one. Writes one log entry, `event` with `count` filled in, or none if no token was
    /// changed.
    ///
    /// [`TokenRecord::secret_issued_at`]: crate::TokenRecord::secret_issued_at
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot be changed.
    fn revoke_owner(
        &self,
        owner: &Owner,
        issued_before: Option<Timestamp>,
        at: Timestamp,
        event: &Event,
    ) -> impl Future<Output = Result<BulkResult, StoreError>> + Send;

    /// Revokes at most `limit` tokens of all owners, chosen as in
    /// [`revoke_owner`](Self::revoke_owner). The log entry has [`ChangeTarget::All`]. A count of 0
    /// means that no such token is left.
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot be changed.
    fn revoke_everyone(
        &self,
        issued_before: Option<Timestamp>,
        at: Timestamp,
        limit: u32,
        event: &Event,
    ) -> impl Future<Output = Result<BulkResult, StoreError>> + Send;

    /// Writes to the log that the permissions of an owner have changed. No token is changed.
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot be changed.
    fn log_owner_change(
        &self,
        owner: &Owner,
        event: &Event,
    ) -> impl Future<Output = Result<ChangeSeq, StoreError>> + Send;

    /// Moves `last_used_at` forward, and never back, for those tokens that are still at the
    /// revision at which they were used. Returns how many tokens were updated.
    ///
    /// One call may contain thousands of uses. It writes no log entry.
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot be changed.
    fn record_uses(
        &self,
        uses: &[TokenUse],
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Deletes at most `limit` tokens that were revoked or expired before `ended_before`. Returns
    /// how many were deleted.
    ///
    /// If there were any, it writes one log entry with [`ChangeTarget::None`] and the count. It may
    /// stop early so as not to block other calls, but returns 0 only if no such token is left, or
    /// if another transaction has locked those that it found. A later call deletes those.
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot be changed.
    fn prune(
        &self,
        ended_before: Timestamp,
        limit: u32,
        event: &Event,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Deletes at most `limit` of the oldest log entries that were written before `written_before`.
    /// The newest entry always stays. Returns how many were deleted, and 0 only if none is left.
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot be changed.
    fn prune_log(
        &self,
        written_before: Timestamp,
        limit: u32,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Reads at most `limit` log entries from a position on, **including the entry at that
    /// position**.
    ///
    /// The reader compares the nonce of that entry to find out whether the history is still the
    /// same. Without a position, the call reads only [`ChangeBatch::head`].
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot be read.
    fn changes(
        &self,
        from: Option<LogPosition>,
        limit: u32,
    ) -> impl Future<Output = Result<ChangeBatch, StoreError>> + Send;

    /// Reads one page of the audit trail: the same log, with the complete events.
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot be read.
    fn audit(
        &self,
        query: &AuditQuery,
    ) -> impl Future<Output = Result<AuditPage, StoreError>> + Send;

    /// Waits until the log may contain an entry after `seen`.
    ///
    /// It may return late, early or never, because it only reduces latency: correctness depends on
    /// polling [`changes`](Self::changes). A store without notifications returns
    /// [`std::future::pending`].
    fn wait_for_change(&self, seen: LogPosition) -> impl Future<Output = ()> + Send;

    /// Checks whether the store responds.
    ///
    /// # Errors
    ///
    /// Returns an error if the store does not respond.
    fn ping(&self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Releases connections and ends tasks. Later calls may return
    /// [`unavailable`](StoreError::unavailable).
    fn close(&self) -> impl Future<Output = ()> + Send;
}
