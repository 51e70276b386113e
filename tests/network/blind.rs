use hallpass_core::store::{
    AuditPage, AuditQuery, BulkResult, Change, ChangeBatch, ChangeSeq, Deleted, ListPage,
    ListQuery, LogPosition, Secrets, Snapshot, StoreError, StoredToken, TokenStore, TokenUse,
};
use hallpass_core::{Digest, Event, Owner, Revision, TokenId};
use jiff::Timestamp;

/// A store without nonces: the numbers alone identify the entries of its change log. The tests show
/// which failures it does not detect.
pub(crate) struct Blind<S>(pub(crate) S);

/// Forwards methods to the store.
macro_rules! forward {
    ($($method:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {$(
        async fn $method(&self, $($arg: $type),*) -> Result<$out, StoreError> {
            TokenStore::$method(&self.0, $($arg),*).await
        }
    )*};
}

impl<S: TokenStore> TokenStore for Blind<S> {
    async fn changes(
        &self,
        from: Option<LogPosition>,
        limit: u32,
    ) -> Result<ChangeBatch, StoreError> {
        let mut changes = self.0.changes(from, limit).await?;
        changes.head.nonce = 0;
        changes.entries.iter_mut().for_each(|entry| entry.position.nonce = 0);
        Ok(changes)
    }

    async fn wait_for_change(&self, seen: LogPosition) {
        self.0.wait_for_change(seen).await;
    }

    async fn close(&self) {
        self.0.close().await;
    }

    forward! {
        insert(token: &StoredToken, limit: Option<u32>, event: &Event) -> ChangeSeq;
        get(id: TokenId) -> Snapshot<Option<StoredToken>>;
        list(query: &ListQuery) -> ListPage;
        update(change: &Change, event: &Event) -> ChangeSeq;
        replace_digest(id: TokenId, expected: &Digest, secrets: &Secrets, event: &Event) -> ChangeSeq;
        delete(id: TokenId, expected: Option<Revision>, event: &Event) -> ChangeSeq;
        delete_many(owner: Option<&Owner>, ids: &[TokenId], event: &Event) -> Deleted;
        delete_owner(owner: &Owner, event: &Event) -> BulkResult;
        revoke_owner(
            owner: &Owner, issued_before: Option<Timestamp>, at: Timestamp, event: &Event
        ) -> BulkResult;
        revoke_everyone(
            issued_before: Option<Timestamp>, at: Timestamp, limit: u32, event: &Event
        ) -> BulkResult;
        log_owner_change(owner: &Owner, event: &Event) -> ChangeSeq;
        record_uses(uses: &[TokenUse]) -> u64;
        prune(ended_before: Timestamp, limit: u32, event: &Event) -> u64;
        prune_log(written_before: Timestamp, limit: u32) -> u64;
        audit(query: &AuditQuery) -> AuditPage;
        ping() -> ();
    }
}
