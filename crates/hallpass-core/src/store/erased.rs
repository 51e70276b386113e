//! The boxed twin of [`TokenStore`]: what the handle holds, so that no user sees a type parameter.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{
    BulkResult, Change, ChangeSeq, Deleted, ListPage, ListQuery, Lookup, Secrets, Snapshot,
    StoreError, StoredToken, TokenStore, TokenUse,
};
use crate::digest::Digest;
use crate::owner::{Owner, OwnerStatus, OwnerStatusQuery};
use crate::record::Revision;
use crate::token::TokenId;
use crate::verify::CachedToken;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

type StandingAnswer<'a> = Pin<
    Box<
        dyn Future<Output = Result<Arc<OwnerStatus>, Box<dyn std::error::Error + Send + Sync>>>
            + Send
            + 'a,
    >,
>;

macro_rules! erase {
    ($($verb:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        pub(crate) trait ErasedStore: Send + Sync {
            fn cached(&self, id: TokenId) -> Lookup;
            fn is_cache(&self) -> bool;
            fn clock_behind(&self) -> Duration;
            fn cached_standing(&self, owner: &Owner) -> Option<Arc<OwnerStatus>>;
            fn standing<'a>(&'a self, owner: &'a Owner, question: OwnerStatusQuery) -> StandingAnswer<'a>;
            fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
            $(fn $verb<'a>(&'a self, $($arg: $type),*) -> Boxed<'a, $out>;)*
        }

        impl<S: TokenStore> ErasedStore for S {
            fn cached(&self, id: TokenId) -> Lookup {
                TokenStore::cached(self, id)
            }

            fn is_cache(&self) -> bool {
                TokenStore::is_cache(self)
            }

            fn clock_behind(&self) -> Duration {
                TokenStore::clock_behind(self)
            }

            fn cached_standing(&self, owner: &Owner) -> Option<Arc<OwnerStatus>> {
                TokenStore::cached_standing(self, owner)
            }

            fn standing<'a>(&'a self, owner: &'a Owner, question: OwnerStatusQuery) -> StandingAnswer<'a> {
                Box::pin(TokenStore::standing(self, owner, question))
            }

            fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
                Box::pin(TokenStore::close(self))
            }

            $(fn $verb<'a>(&'a self, $($arg: $type),*) -> Boxed<'a, $out> {
                Box::pin(TokenStore::$verb(self, $($arg),*))
            })*
        }
    };
}

erase! {
    insert(token: &'a StoredToken, limit: Option<u32>) -> ChangeSeq;
    find(id: TokenId) -> Snapshot<Option<StoredToken>>;
    load(id: TokenId) -> Option<Arc<CachedToken>>;
    reload(id: TokenId) -> Option<Arc<CachedToken>>;
    list(query: &'a ListQuery) -> ListPage;
    change(change: &'a Change) -> ChangeSeq;
    rekey(id: TokenId, expected: &'a Digest, secrets: &'a Secrets) -> ChangeSeq;
    delete(id: TokenId, expected: Option<Revision>) -> ChangeSeq;
    delete_many(owner: Option<&'a Owner>, ids: &'a [TokenId]) -> Deleted;
    delete_owner(owner: &'a Owner) -> BulkResult;
    revoke_owner(owner: &'a Owner, at: Timestamp) -> BulkResult;
    announce(owner: &'a Owner) -> ChangeSeq;
    touch(uses: &'a [TokenUse]) -> u64;
    prune(ended_before: Timestamp, limit: u32) -> u64;
    ping() -> ();
}
