//! Several handles on the same data.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hallpass_core::store::{
    AuditPage, AuditQuery, BulkResult, Change, ChangeBatch, ChangeSeq, ChangeTarget, Deleted,
    ListPage, ListQuery, LogPosition, Secrets, Snapshot, StoreError, StoredToken, TokenStore,
    TokenUse,
};
use hallpass_core::{Digest, Event, Owner, Revision, TokenId};
use jiff::Timestamp;

use super::place::StoreUnderTest;
use super::samples::about;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Several handles on the same data, as several processes have. Each call goes to the next handle,
/// so that one handle reads what another one has written.
///
/// The type of the store is erased: the suite is compiled once, and not once for each store.
#[derive(Clone)]
pub struct Replicas {
    handles: Arc<[Arc<dyn Erased>]>,
    calls: Arc<AtomicUsize>,
}

impl Replicas {
    /// Opens `count` handles on the data of a place, each by itself.
    pub(super) async fn open(place: &impl StoreUnderTest, count: usize) -> Vec<Self> {
        let mut replicas = Vec::new();
        for _ in 0..count {
            let handle: Arc<dyn Erased> = Arc::new(place.node().await);
            replicas.push(Self { handles: Arc::new([handle]), calls: Arc::default() });
        }
        replicas
    }

    /// Joins handles, so that calls go to each in turn.
    pub(super) fn in_turn(replicas: &[Self]) -> Self {
        let handles = replicas.iter().flat_map(|replica| replica.handles.iter().cloned());
        Self { handles: handles.collect(), calls: Arc::default() }
    }

    pub(super) async fn close_all(&self) {
        for handle in &*self.handles {
            handle.close().await;
        }
    }

    fn next(&self) -> &dyn Erased {
        &*self.handles[self.calls.fetch_add(1, Ordering::Relaxed) % self.handles.len()]
    }
}

impl fmt::Debug for Replicas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replicas").field("count", &self.handles.len()).finish_non_exhaustive()
    }
}

macro_rules! erase {
    ($($method:ident$(<$($life:lifetime),*>)?($($arg:ident: $type:ty),*) -> $out:ty$(, $event:ident about $target:expr)?;)*) => {
        /// The object-safe form of `TokenStore`.
        trait Erased: Send + Sync {
            $(fn $method<'s, $($($life: 's),*)?>(&'s self, $($arg: $type),*) -> Boxed<'s, $out>;)*
        }

        impl<S: TokenStore> Erased for S {
            $(fn $method<'s, $($($life: 's),*)?>(&'s self, $($arg: $type),*) -> Boxed<'s, $out> {
                Box::pin(TokenStore::$method(self, $($arg),*))
            })*
        }

        impl TokenStore for Replicas {
            $(async fn $method$(<$($life),*>)?(&self, $($arg: $type),*) -> $out {
                $(let named = about(&$target, $event);
                let $event = &named;)?
                Erased::$method(self.next(), $($arg),*).await
            })*
        }
    };
}

type Answer<T> = Result<T, StoreError>;

erase! {
    insert<'a, 'b>(token: &'a StoredToken, limit: Option<u32>, event: &'b Event) -> Answer<ChangeSeq>, event about ChangeTarget::Token(token.record.id);
    get(id: TokenId) -> Answer<Snapshot<Option<StoredToken>>>;
    list<'a>(query: &'a ListQuery) -> Answer<ListPage>;
    update<'a, 'b>(change: &'a Change, event: &'b Event) -> Answer<ChangeSeq>, event about ChangeTarget::Token(change.record.id);
    replace_digest<'a, 'b, 'c>(id: TokenId, expected: &'a Digest, secrets: &'b Secrets, event: &'c Event) -> Answer<ChangeSeq>, event about ChangeTarget::Token(id);
    delete<'a>(id: TokenId, expected: Option<Revision>, event: &'a Event) -> Answer<ChangeSeq>, event about ChangeTarget::Token(id);
    delete_many<'a, 'b, 'c>(owner: Option<&'a Owner>, ids: &'b [TokenId], event: &'c Event) -> Answer<Deleted>;
    delete_owner<'a, 'b>(owner: &'a Owner, event: &'b Event) -> Answer<BulkResult>, event about ChangeTarget::Owner(owner.clone());
    revoke_owner<'a, 'b>(owner: &'a Owner, issued_before: Option<Timestamp>, at: Timestamp, event: &'b Event) -> Answer<BulkResult>, event about ChangeTarget::Owner(owner.clone());
    revoke_everyone<'a>(issued_before: Option<Timestamp>, at: Timestamp, limit: u32, event: &'a Event) -> Answer<BulkResult>;
    log_owner_change<'a, 'b>(owner: &'a Owner, event: &'b Event) -> Answer<ChangeSeq>, event about ChangeTarget::Owner(owner.clone());
    record_uses<'a>(uses: &'a [TokenUse]) -> Answer<u64>;
    prune<'a>(ended_before: Timestamp, limit: u32, event: &'a Event) -> Answer<u64>;
    prune_log(written_before: Timestamp, limit: u32) -> Answer<u64>;
    changes(from: Option<LogPosition>, limit: u32) -> Answer<ChangeBatch>;
    audit<'a>(query: &'a AuditQuery) -> Answer<AuditPage>;
    wait_for_change(seen: LogPosition) -> ();
    ping() -> Answer<()>;
    close() -> ();
}
