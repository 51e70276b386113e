//! The store: the one trait between the domain and a database.

mod erased;
mod error;
mod list;
mod log;
mod stored;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub(crate) use self::erased::ErasedStore;
pub use self::{
    error::StoreError,
    list::{ListKey, ListPage, ListQuery, ListValue, Sort, SortBy},
    log::{ChangeBatch, ChangeEntry, ChangeSeq, ChangeTarget, LogPosition, Snapshot, fresh_nonce},
    stored::{
        BulkResult, Change, ChangeKind, Deleted, PreviousSecret, Secrets, StoredToken, TokenUse,
    },
};
use crate::digest::Digest;
use crate::owner::{Owner, OwnerStatus, OwnerStatusQuery};
use crate::record::Revision;
use crate::token::TokenId;
use crate::verify::CachedToken;

/// What a cache can say of a token at once.
#[derive(Clone, Debug)]
#[must_use]
pub enum Lookup {
    /// Here it is, fresh.
    Hit(Arc<CachedToken>),
    /// There is no such token, and that is fresh too.
    NegativeHit,
    /// It has to be looked up.
    Miss,
}

/// Where tokens are kept.
///
/// Write each method as a plain `async fn`. What every store owes:
///
/// - **One clock.** Each call that changes what a check may answer (all but [`touch`](Self::touch),
///   [`prune`](Self::prune) and the reads) takes the next [`ChangeSeq`] as the last step of its own
///   transaction and logs it, so that number order is commit order and no number is missing. A change to
///   one token logs that token; a change to all of an owner's logs the owner, once.
/// - **Snapshots.** [`find`](Self::find) answers with the number the clock had in the snapshot the
///   record was read from.
/// - **All or nothing.** A call that answers an error has changed nothing, unless the error is
///   [`outcome_unknown`](StoreError::outcome_unknown).
/// - **Deadlines.** A call ends within a second or two, with
///   [`unavailable`](StoreError::unavailable) if need be. Dropping its future changes nothing that was not
///   committed.
/// - **Milliseconds.** Times come and go with millisecond precision.
///
/// A store never sees a token's secret, only its [`Digest`].
pub trait TokenStore: Send + Sync + 'static {
    /// Adds a token, unless the owner would then have more than `limit`, in whatever state they are.
    /// Count and insert are one atomic step: of many concurrent calls exactly as many succeed as fit.
    ///
    /// # Errors
    ///
    /// [`duplicate`](StoreError::duplicate) if the id is taken, [`limit_reached`](StoreError::limit_reached).
    fn insert(
        &self,
        token: &StoredToken,
        limit: Option<u32>,
    ) -> impl Future<Output = Result<ChangeSeq, StoreError>> + Send;

    /// Reads a token, from the truth: never from a cache.
    ///
    /// # Errors
    ///
    /// The store's own trouble only; a token that is not there is `Ok` with `None`.
    fn find(
        &self,
        id: TokenId,
    ) -> impl Future<Output = Result<Snapshot<Option<StoredToken>>, StoreError>> + Send;

    /// Reads one page of records and counts all that match.
    ///
    /// # Errors
    ///
    /// The store's own trouble only.
    fn list(&self, query: &ListQuery) -> impl Future<Output = Result<ListPage, StoreError>> + Send;

    /// Replaces a token's record, and its secrets if the change brings any, if it is still at
    /// [`Change::expected`]. `last_used_at` stays as it is.
    ///
    /// # Errors
    ///
    /// [`conflict`](StoreError::conflict) at another revision, [`not_found`](StoreError::not_found).
    fn change(&self, change: &Change)
    -> impl Future<Output = Result<ChangeSeq, StoreError>> + Send;

    /// Replaces a token's secrets if its current digest is still `expected`. No change of the
    /// revision: nothing that anybody sees has changed.
    ///
    /// # Errors
    ///
    /// [`conflict`](StoreError::conflict) at another digest, [`not_found`](StoreError::not_found).
    fn rekey(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
    ) -> impl Future<Output = Result<ChangeSeq, StoreError>> + Send;

    /// Removes a token, if it is at the expected revision or none is expected.
    ///
    /// # Errors
    ///
    /// [`conflict`](StoreError::conflict) at another revision, [`not_found`](StoreError::not_found).
    fn delete(
        &self,
        id: TokenId,
        expected: Option<Revision>,
    ) -> impl Future<Output = Result<ChangeSeq, StoreError>> + Send;

    /// Removes those of the tokens that exist (and are `owner`'s, if one is given), in one transaction.
    ///
    /// # Errors
    ///
    /// The store's own trouble only.
    fn delete_many(
        &self,
        owner: Option<&Owner>,
        ids: &[TokenId],
    ) -> impl Future<Output = Result<Deleted, StoreError>> + Send;

    /// Removes all tokens of an owner, as one logged change.
    ///
    /// # Errors
    ///
    /// The store's own trouble only.
    fn delete_owner(
        &self,
        owner: &Owner,
    ) -> impl Future<Output = Result<BulkResult, StoreError>> + Send;

    /// Revokes all tokens of an owner that are not revoked yet, their revisions one up, as one logged change.
    ///
    /// # Errors
    ///
    /// The store's own trouble only.
    fn revoke_owner(
        &self,
        owner: &Owner,
        at: Timestamp,
    ) -> impl Future<Output = Result<BulkResult, StoreError>> + Send;

    /// Logs that what an owner may do has changed; no token is touched.
    ///
    /// # Errors
    ///
    /// The store's own trouble only.
    fn announce(&self, owner: &Owner)
    -> impl Future<Output = Result<ChangeSeq, StoreError>> + Send;

    /// Moves `last_used_at` forward, never back, of those tokens that are still at the revision they were
    /// used at. Nothing is created, nothing else is written, and the clock is not touched. There may be thousands
    /// at once. Answers how many moved.
    ///
    /// # Errors
    ///
    /// The store's own trouble only.
    fn touch(&self, uses: &[TokenUse]) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Removes at most `limit` tokens that were revoked or expired before that time, and as many
    /// lines of the change log as its retention lets go. Answers how many tokens went. It may leave some for the
    /// next call, so as not to take long; that none went means that none is left.
    ///
    /// # Errors
    ///
    /// The store's own trouble only.
    fn prune(
        &self,
        ended_before: Timestamp,
        limit: u32,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Reads the change log from a place on, **that place included**, so that the reader can tell by its
    /// nonce that history is still the same; only the head if no place is given.
    ///
    /// # Errors
    ///
    /// The store's own trouble only.
    fn changes(
        &self,
        from: Option<LogPosition>,
        limit: u32,
    ) -> impl Future<Output = Result<ChangeBatch, StoreError>> + Send;

    /// Whether the store answers.
    ///
    /// # Errors
    ///
    /// It does not.
    fn ping(&self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What is at hand of a token and known to be fresh: no I/O, no waiting. Only a cache has any.
    fn cached(&self, id: TokenId) -> Lookup {
        let _ = id;
        Lookup::Miss
    }

    /// Whether [`load`](Self::load) may answer what was read before it was called.
    fn is_cache(&self) -> bool {
        false
    }

    /// The token as the store has it now, for a check that found the cached one too old: read after the call
    /// began. A cache lets one of many such calls ask.
    ///
    /// # Errors
    ///
    /// As [`find`](Self::find).
    fn reload(
        &self,
        id: TokenId,
    ) -> impl Future<Output = Result<Option<Arc<CachedToken>>, StoreError>> + Send {
        async move { Ok(self.find(id).await?.value.map(CachedToken::new).map(Arc::new)) }
    }

    /// The token as a check needs it; a cache may answer what it knows to be fresh.
    ///
    /// # Errors
    ///
    /// As [`find`](Self::find).
    fn load(
        &self,
        id: TokenId,
    ) -> impl Future<Output = Result<Option<Arc<CachedToken>>, StoreError>> + Send {
        self.reload(id)
    }

    /// What an owner may do now, as the host said within the bound of this cache: no waiting.
    fn cached_standing(&self, owner: &Owner) -> Option<Arc<OwnerStatus>> {
        let _ = owner;
        None
    }

    /// What an owner may do now. A cache asks once for many, and remembers for as long as its bound, or until it hears
    /// that the owner changed.
    ///
    /// # Errors
    ///
    /// The host's own, of `question`.
    fn standing(
        &self,
        owner: &Owner,
        question: OwnerStatusQuery,
    ) -> impl Future<Output = Result<Arc<OwnerStatus>, Box<dyn std::error::Error + Send + Sync>>> + Send
    {
        let _ = owner;
        async move { question.ask().await.map(Arc::new) }
    }

    /// By how much this machine's clock is behind the store's, as far as that is known: tokens expire by whichever
    /// of the two is ahead. No waiting; only a cache knows it, from [`ChangeBatch::time`].
    fn clock_behind(&self) -> Duration {
        Duration::ZERO
    }

    /// Waits until there may be something in the change log after that place: what a cache listens to so that it
    /// need not wait for its next look. It may come late, for nothing, or never; no promise rests on it,
    /// and dropping its future loses nothing.
    fn nudged(&self, seen: LogPosition) -> impl Future<Output = ()> + Send {
        let _ = seen;
        std::future::pending()
    }

    /// Lets go of what the store holds: connections, tasks. Calls after it may answer
    /// [`unavailable`](StoreError::unavailable).
    fn close(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}
