//! A store that only serves checks and counts its reads.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use hallpass_core::jiff::Timestamp;
use hallpass_core::store::{
    AuditPage, AuditQuery, BulkResult, Change, ChangeBatch, ChangeSeq, Deleted, ListPage,
    ListQuery, LogPosition, Secrets, Snapshot, StoreError, StoredToken, TokenStore, TokenUse,
};
use hallpass_core::{Digest, Event, Owner, Revision, ScopeSet, TokenId, TokenRecord};

/// A store of tokens that never change. A clone shares the tokens and the counter.
#[derive(Clone, Debug)]
pub(super) struct CountingStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    numbers: HashMap<TokenId, usize>,
    created_at: Timestamp,
    takes: Duration,
    reads: AtomicU64,
}

impl CountingStore {
    /// Creates a store of these tokens. Each read takes `takes`.
    pub(super) fn new(ids: &[TokenId], takes: Duration) -> Self {
        let numbers = ids.iter().copied().zip(0..).collect();
        let reads = AtomicU64::new(0);
        Self(Arc::new(Inner { numbers, created_at: Timestamp::now(), takes, reads }))
    }

    /// Returns the number of reads that found a token.
    pub(super) fn reads(&self) -> u64 {
        self.0.reads.load(Ordering::Relaxed)
    }

    /// Returns a token that shares no allocation with others, as a database would.
    fn token(&self, id: TokenId, number: usize) -> Result<StoredToken, StoreError> {
        let owner = Owner::new(format!("owner-{number}")).map_err(StoreError::corrupt)?;
        let mut record = TokenRecord::new(id, owner, "deployment", self.0.created_at);
        record.scopes = ScopeSet::parse(["projects:read", "builds:read", "reports:write"])
            .map_err(StoreError::corrupt)?;
        let current = Digest::from_parts("sha256-v1", &[7; 32]).map_err(StoreError::corrupt)?;
        Ok(StoredToken { record, secrets: Secrets { current, previous: None } })
    }
}

/// Generates `count` token ids.
pub(super) fn ids(count: usize) -> Result<Vec<TokenId>> {
    let owner = Owner::new("owner")?;
    let now = Timestamp::now();
    (0..count).map(|_| Ok(TokenId::generate(&owner, now)?)).collect()
}

const READ_ONLY: &str = "the store of this benchmark only serves checks";

/// Defines store methods that this benchmark never calls.
macro_rules! read_only {
    ($($method:ident($($type:ty),*) -> $out:ty;)*) => {$(
        async fn $method(&self, $(_: $type),*) -> Result<$out, StoreError> {
            Err(StoreError::unavailable(READ_ONLY))
        }
    )*};
}

/// Implements only the reads of a check and of the change log.
impl TokenStore for CountingStore {
    async fn get(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        if !self.0.takes.is_zero() {
            tokio::time::sleep(self.0.takes).await;
        }
        let value = match self.0.numbers.get(&id) {
            Some(number) => {
                self.0.reads.fetch_add(1, Ordering::Relaxed);
                Some(self.token(id, *number)?)
            }
            None => None,
        };
        Ok(Snapshot { value, as_of: ChangeSeq::new(1) })
    }

    async fn changes(&self, _: Option<LogPosition>, _: u32) -> Result<ChangeBatch, StoreError> {
        Ok(ChangeBatch {
            entries: Vec::new(),
            head: LogPosition { seq: ChangeSeq::new(1), nonce: 1 },
            time: None,
        })
    }

    async fn wait_for_change(&self, _: LogPosition) {
        std::future::pending::<()>().await;
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn close(&self) {}

    read_only! {
        insert(&StoredToken, Option<u32>, &Event) -> ChangeSeq;
        list(&ListQuery) -> ListPage;
        update(&Change, &Event) -> ChangeSeq;
        replace_digest(TokenId, &Digest, &Secrets, &Event) -> ChangeSeq;
        delete(TokenId, Option<Revision>, &Event) -> ChangeSeq;
        delete_many(Option<&Owner>, &[TokenId], &Event) -> Deleted;
        delete_owner(&Owner, &Event) -> BulkResult;
        revoke_owner(&Owner, Option<Timestamp>, Timestamp, &Event) -> BulkResult;
        revoke_everyone(Option<Timestamp>, Timestamp, u32, &Event) -> BulkResult;
        log_owner_change(&Owner, &Event) -> ChangeSeq;
        record_uses(&[TokenUse]) -> u64;
        prune(Timestamp, u32, &Event) -> u64;
        prune_log(Timestamp, u32) -> u64;
        audit(&AuditQuery) -> AuditPage;
    }
}
