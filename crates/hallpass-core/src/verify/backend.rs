//! The interface between the handle and a store with or without a cache. It is not part of the
//! public API.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::CachedToken;
use crate::digest::Digest;
use crate::event::Event;
use crate::owner::{Owner, OwnerStatus, OwnerStatusQuery};
use crate::record::Revision;
use crate::store::{
    AuditPage, AuditQuery, BulkResult, Change, ChangeSeq, ChangeTarget, Deleted, ListPage,
    ListQuery, Secrets, Snapshot, StoreError, StoredToken, TokenStore, TokenUse,
};
use crate::token::TokenId;

/// The result of looking up a token in a cache, without I/O.
#[derive(Clone, Debug)]
#[must_use]
pub enum Lookup {
    /// The cache holds a fresh record of the token.
    Hit(Arc<CachedToken>),
    /// The cache has a fresh entry which shows that the token does not exist.
    NegativeHit,
    /// The cache has no fresh entry for the token, so the token must be loaded.
    Miss,
}

/// The freshness that a caller requires of a loaded token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// The record is within the cache's maximum staleness.
    Bounded,
    /// The record is read from the store after the call began.
    AfterCall,
}

/// The error of the host's owner directory.
pub type HostError = Box<dyn std::error::Error + Send + Sync>;

/// A store with or without a cache in front.
///
/// Every [`TokenStore`] is a backend without a cache. `hallpass_cache::Cached` implements this
/// trait but not `TokenStore`. So tokens are changed only through the handle, which calls
/// [`apply`](Self::apply) after each commit. A change that bypassed it would leave the cache stale.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a token store",
    note = "implement `hallpass::store::TokenStore` for it, or wrap a store with `Cached::new`"
)]
pub trait Backend: Send + Sync + 'static {
    /// The store behind the cache.
    type Store: TokenStore;

    /// Returns the store itself.
    fn store(&self) -> &Self::Store;

    /// Returns whether [`load`](Self::load) may return a record that was read before the call.
    fn is_cache(&self) -> bool;

    /// Looks a token up without I/O.
    fn peek(&self, id: TokenId) -> Lookup;

    /// Loads a token for a check.
    fn load(
        &self,
        id: TokenId,
        freshness: Freshness,
    ) -> impl Future<Output = Result<Option<Arc<CachedToken>>, StoreError>> + Send;

    /// Reads a token from the store, bypassing the cache.
    ///
    /// Later checks on this node are at least as fresh as the returned record. Otherwise a user
    /// could see that a token is revoked while this node still accepts it.
    fn get(
        &self,
        id: TokenId,
    ) -> impl Future<Output = Result<Snapshot<Option<StoredToken>>, StoreError>> + Send;

    /// Returns an owner's remembered status without I/O, if it is known to be fresh.
    fn peek_owner_status(&self, owner: &Owner) -> Option<Arc<OwnerStatus>>;

    /// Returns an owner's status. Runs `query` against the host's directory if no fresh status is
    /// remembered.
    fn load_owner_status(
        &self,
        owner: &Owner,
        query: OwnerStatusQuery,
    ) -> impl Future<Output = Result<Arc<OwnerStatus>, HostError>> + Send;

    /// Invalidates the cached data that a committed change of this node has made stale.
    fn apply(&self, target: &ChangeTarget, seq: ChangeSeq);

    /// Invalidates all cached data about `targets`, because a call found that other nodes have
    /// changed them.
    fn refresh(
        &self,
        targets: &[ChangeTarget],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Returns the highest sequence number that this node has seen, or zero without a cache. Call
    /// it before a call of the store, for [`check_history`](Self::check_history).
    fn highest_seq(&self) -> ChangeSeq {
        ChangeSeq::ZERO
    }

    /// Invalidates all cached data if a call has shown that the store's history has forked.
    ///
    /// `next` is the number of the call's change, or of the next change after a read. In the same
    /// history, it is above `highest_before`, the highest number that was known before the call.
    ///
    /// After a failover that has lost changes, new changes get the same numbers again. So they
    /// would not invalidate records that were read before the failover.
    fn check_history(&self, _highest_before: ChangeSeq, _next: ChangeSeq) {}

    /// Waits until checks on this node reflect every change up to `seq`. The caller is about to
    /// return data that reflects these changes.
    fn catch_up(&self, seq: ChangeSeq) -> impl Future<Output = ()> + Send;

    /// Returns how far this machine's clock is known to be behind the store's clock.
    fn clock_offset(&self) -> Duration;

    /// Stops the cache and closes the store.
    fn close(&self) -> impl Future<Output = ()> + Send;
}

impl<S: TokenStore> Backend for S {
    type Store = S;

    fn store(&self) -> &S {
        self
    }

    fn is_cache(&self) -> bool {
        false
    }

    fn peek(&self, _: TokenId) -> Lookup {
        Lookup::Miss
    }

    async fn load(
        &self,
        id: TokenId,
        _: Freshness,
    ) -> Result<Option<Arc<CachedToken>>, StoreError> {
        Ok(TokenStore::get(self, id).await?.value.map(CachedToken::new).map(Arc::new))
    }

    async fn get(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        TokenStore::get(self, id).await
    }

    fn peek_owner_status(&self, _: &Owner) -> Option<Arc<OwnerStatus>> {
        None
    }

    async fn load_owner_status(
        &self,
        _: &Owner,
        query: OwnerStatusQuery,
    ) -> Result<Arc<OwnerStatus>, HostError> {
        query.ask().await.map(Arc::new)
    }

    fn apply(&self, _: &ChangeTarget, _: ChangeSeq) {}

    async fn refresh(&self, _: &[ChangeTarget]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn catch_up(&self, _: ChangeSeq) {}

    fn clock_offset(&self) -> Duration {
        Duration::ZERO
    }

    async fn close(&self) {
        TokenStore::close(self).await;
    }
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

macro_rules! erase {
    (
        sync { $($now:ident($($now_arg:ident: $now_type:ty),*) -> $now_out:ty;)* }
        backend { $($later:ident($($later_arg:ident: $later_type:ty),*) -> $later_out:ty;)* }
        changes { $($change:ident($($change_arg:ident: $change_type:ty),*) -> $change_out:ty, $next:expr;)* }
        store { $($call:ident($($arg:ident: $type:ty),*) -> $out:ty;)* }
    ) => {
        /// The object-safe twin of [`Backend`] and its store, so that users see no type parameter.
        pub(crate) trait ErasedBackend: Send + Sync {
            $(fn $now(&self, $($now_arg: $now_type),*) -> $now_out;)*
            $(fn $later<'a>(&'a self, $($later_arg: $later_type),*) -> BoxFuture<'a, $later_out>;)*
            $(fn $change<'a>(&'a self, $($change_arg: $change_type),*) -> BoxFuture<'a, Result<$change_out, StoreError>>;)*
            $(fn $call<'a>(&'a self, $($arg: $type),*) -> BoxFuture<'a, Result<$out, StoreError>>;)*
        }

        impl<B: Backend> ErasedBackend for B {
            $(fn $now(&self, $($now_arg: $now_type),*) -> $now_out {
                Backend::$now(self, $($now_arg),*)
            })*

            $(fn $later<'a>(&'a self, $($later_arg: $later_type),*) -> BoxFuture<'a, $later_out> {
                Box::pin(Backend::$later(self, $($later_arg),*))
            })*

            $(fn $change<'a>(&'a self, $($change_arg: $change_type),*) -> BoxFuture<'a, Result<$change_out, StoreError>> {
                Box::pin(async move {
                    let highest_before = Backend::highest_seq(self);
                    let result = TokenStore::$change(Backend::store(self), $($change_arg),*).await?;
                    let next: fn(&$change_out) -> Option<ChangeSeq> = $next;
                    if let Some(next) = next(&result) {
                        Backend::check_history(self, highest_before, next);
                    }
                    Ok(result)
                })
            })*

            $(fn $call<'a>(&'a self, $($arg: $type),*) -> BoxFuture<'a, Result<$out, StoreError>> {
                Box::pin(TokenStore::$call(Backend::store(self), $($arg),*))
            })*
        }
    };
}

erase! {
    sync {
        is_cache() -> bool;
        peek(id: TokenId) -> Lookup;
        peek_owner_status(owner: &Owner) -> Option<Arc<OwnerStatus>>;
        apply(target: &ChangeTarget, seq: ChangeSeq) -> ();
        highest_seq() -> ChangeSeq;
        check_history(highest_before: ChangeSeq, next: ChangeSeq) -> ();
        clock_offset() -> Duration;
    }
    backend {
        load(id: TokenId, freshness: Freshness) -> Result<Option<Arc<CachedToken>>, StoreError>;
        get(id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError>;
        load_owner_status(owner: &'a Owner, query: OwnerStatusQuery) -> Result<Arc<OwnerStatus>, HostError>;
        refresh(targets: &'a [ChangeTarget]) -> Result<(), StoreError>;
        catch_up(seq: ChangeSeq) -> ();
        close() -> ();
    }
    changes {
        insert(token: &'a StoredToken, limit: Option<u32>, event: &'a Event) -> ChangeSeq, |seq| Some(*seq);
        update(change: &'a Change, event: &'a Event) -> ChangeSeq, |seq| Some(*seq);
        replace_digest(id: TokenId, expected: &'a Digest, secrets: &'a Secrets, event: &'a Event) -> ChangeSeq, |seq| Some(*seq);
        delete(id: TokenId, expected: Option<Revision>, event: &'a Event) -> ChangeSeq, |seq| Some(*seq);
        delete_many(owner: Option<&'a Owner>, ids: &'a [TokenId], event: &'a Event) -> Deleted, |deleted| deleted.seq;
        delete_owner(owner: &'a Owner, event: &'a Event) -> BulkResult, |result| result.seq;
        revoke_owner(owner: &'a Owner, issued_before: Option<Timestamp>, at: Timestamp, event: &'a Event) -> BulkResult, |result| result.seq;
        revoke_everyone(issued_before: Option<Timestamp>, at: Timestamp, limit: u32, event: &'a Event) -> BulkResult, |result| result.seq;
        log_owner_change(owner: &'a Owner, event: &'a Event) -> ChangeSeq, |seq| Some(*seq);
        list(query: &'a ListQuery) -> ListPage, |page| Some(page.as_of.next());
    }
    store {
        record_uses(uses: &'a [TokenUse]) -> u64;
        prune(ended_before: Timestamp, limit: u32, event: &'a Event) -> u64;
        prune_log(written_before: Timestamp, limit: u32) -> u64;
        audit(query: &'a AuditQuery) -> AuditPage;
        ping() -> ();
    }
}
