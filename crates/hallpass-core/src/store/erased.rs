//! The boxed twin of [`TokenStore`]: what the handle holds, so that no user sees a type parameter.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{
    AtHand, Bulk, Change, Deleted, ListPage, ListQuery, Secrets, Seq, Snapshot, StoreError,
    StoredToken, TokenStore, Use,
};
use crate::digest::Digest;
use crate::owner::{Owner, Standing, StandingQuestion};
use crate::record::Revision;
use crate::token::TokenId;
use crate::verify::LoadedToken;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

type StandingAnswer<'a> = Pin<
    Box<
        dyn Future<Output = Result<Arc<Standing>, Box<dyn std::error::Error + Send + Sync>>>
            + Send
            + 'a,
    >,
>;

macro_rules! erase {
    ($($verb:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        pub(crate) trait ErasedStore: Send + Sync {
            fn cached(&self, id: TokenId) -> AtHand;
            fn is_cache(&self) -> bool;
            fn clock_behind(&self) -> Duration;
            fn cached_standing(&self, owner: &Owner) -> Option<Arc<Standing>>;
            fn standing<'a>(&'a self, owner: &'a Owner, question: StandingQuestion) -> StandingAnswer<'a>;
            fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
            $(fn $verb<'a>(&'a self, $($arg: $type),*) -> Boxed<'a, $out>;)*
        }

        impl<S: TokenStore> ErasedStore for S {
            fn cached(&self, id: TokenId) -> AtHand {
                TokenStore::cached(self, id)
            }

            fn is_cache(&self) -> bool {
                TokenStore::is_cache(self)
            }

            fn clock_behind(&self) -> Duration {
                TokenStore::clock_behind(self)
            }

            fn cached_standing(&self, owner: &Owner) -> Option<Arc<Standing>> {
                TokenStore::cached_standing(self, owner)
            }

            fn standing<'a>(&'a self, owner: &'a Owner, question: StandingQuestion) -> StandingAnswer<'a> {
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
    insert(token: &'a StoredToken, limit: Option<u32>) -> Seq;
    find(id: TokenId) -> Snapshot<Option<StoredToken>>;
    load(id: TokenId) -> Option<Arc<LoadedToken>>;
    reload(id: TokenId) -> Option<Arc<LoadedToken>>;
    list(query: &'a ListQuery) -> ListPage;
    change(change: &'a Change) -> Seq;
    rekey(id: TokenId, expected: &'a Digest, secrets: &'a Secrets) -> Seq;
    delete(id: TokenId, expected: Option<Revision>) -> Seq;
    delete_many(owner: Option<&'a Owner>, ids: &'a [TokenId]) -> Deleted;
    delete_owner(owner: &'a Owner) -> Bulk;
    revoke_owner(owner: &'a Owner, at: Timestamp) -> Bulk;
    announce(owner: &'a Owner) -> Seq;
    touch(uses: &'a [Use]) -> u64;
    prune(ended_before: Timestamp, limit: u32) -> u64;
    ping() -> ();
}
