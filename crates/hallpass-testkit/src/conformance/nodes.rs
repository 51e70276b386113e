use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hallpass_core::store::{
    BulkResult, Change, ChangeBatch, ChangeSeq, Deleted, ListPage, ListQuery, LogPosition, Lookup,
    Secrets, Snapshot, StoreError, StoredToken, TokenStore, TokenUse,
};
use hallpass_core::{CachedToken, Digest, Owner, Revision, TokenId};
use jiff::Timestamp;

use super::place::StoreUnderTest;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
type Loaded = Option<Arc<CachedToken>>;

/// Handles on the same data, as several processes have them. Each call takes the next one, so that what one wrote
/// another reads.
///
/// Of whatever kind the store is: the suite is compiled once, and not once for each.
#[derive(Clone)]
pub struct Nodes {
    nodes: Arc<[Arc<dyn Erased>]>,
    turn: Arc<AtomicUsize>,
}

impl Nodes {
    /// So many handles on the data of a place, each by itself, with whatever `front` puts in front.
    pub(super) async fn each<S: TokenStore>(
        place: &impl StoreUnderTest,
        count: usize,
        front: impl Fn(Self) -> S,
    ) -> Vec<Self> {
        let mut each = Vec::new();
        for _ in 0..count {
            each.push(Self::one(front(Self::one(place.node().await))));
        }
        each
    }

    fn one(store: impl TokenStore) -> Self {
        Self { nodes: Arc::new([Arc::new(store)]), turn: Arc::default() }
    }

    /// These handles in turn.
    pub(super) fn in_turn(each: Vec<Self>) -> Self {
        let nodes = each.iter().flat_map(|node| node.nodes.iter().cloned());
        Self { nodes: nodes.collect(), turn: Arc::default() }
    }

    pub(super) async fn close_all(&self) {
        for node in &*self.nodes {
            node.close().await;
        }
    }

    fn next(&self) -> &dyn Erased {
        &*self.nodes[self.turn.fetch_add(1, Ordering::Relaxed) % self.nodes.len()]
    }
}

impl fmt::Debug for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nodes").field("count", &self.nodes.len()).finish_non_exhaustive()
    }
}

macro_rules! erase {
    ($($verb:ident$(<$($life:lifetime),*>)?($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        /// The boxed twin of `TokenStore`.
        trait Erased: Send + Sync {
            fn cached(&self, id: TokenId) -> Lookup;
            fn is_cache(&self) -> bool;
            $(fn $verb<'s, $($($life: 's),*)?>(&'s self, $($arg: $type),*) -> Boxed<'s, $out>;)*
        }

        impl<S: TokenStore> Erased for S {
            fn cached(&self, id: TokenId) -> Lookup {
                TokenStore::cached(self, id)
            }

            fn is_cache(&self) -> bool {
                TokenStore::is_cache(self)
            }

            $(fn $verb<'s, $($($life: 's),*)?>(&'s self, $($arg: $type),*) -> Boxed<'s, $out> {
                Box::pin(TokenStore::$verb(self, $($arg),*))
            })*
        }

        impl TokenStore for Nodes {
            fn cached(&self, id: TokenId) -> Lookup {
                Erased::cached(self.next(), id)
            }

            fn is_cache(&self) -> bool {
                Erased::is_cache(self.next())
            }

            $(async fn $verb$(<$($life),*>)?(&self, $($arg: $type),*) -> $out {
                Erased::$verb(self.next(), $($arg),*).await
            })*
        }
    };
}

erase! {
    insert<'a>(token: &'a StoredToken, limit: Option<u32>) -> Result<ChangeSeq, StoreError>;
    find(id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError>;
    list<'a>(query: &'a ListQuery) -> Result<ListPage, StoreError>;
    change<'a>(change: &'a Change) -> Result<ChangeSeq, StoreError>;
    rekey<'a, 'b>(id: TokenId, expected: &'a Digest, secrets: &'b Secrets) -> Result<ChangeSeq, StoreError>;
    delete(id: TokenId, expected: Option<Revision>) -> Result<ChangeSeq, StoreError>;
    delete_many<'a, 'b>(owner: Option<&'a Owner>, ids: &'b [TokenId]) -> Result<Deleted, StoreError>;
    delete_owner<'a>(owner: &'a Owner) -> Result<BulkResult, StoreError>;
    revoke_owner<'a>(owner: &'a Owner, at: Timestamp) -> Result<BulkResult, StoreError>;
    announce<'a>(owner: &'a Owner) -> Result<ChangeSeq, StoreError>;
    touch<'a>(uses: &'a [TokenUse]) -> Result<u64, StoreError>;
    prune(ended_before: Timestamp, limit: u32) -> Result<u64, StoreError>;
    changes(from: Option<LogPosition>, limit: u32) -> Result<ChangeBatch, StoreError>;
    ping() -> Result<(), StoreError>;
    load(id: TokenId) -> Result<Loaded, StoreError>;
    reload(id: TokenId) -> Result<Loaded, StoreError>;
    nudged(seen: LogPosition) -> ();
    close() -> ();
}
