//! Forwards store methods to the store inside a decorator.

/// Defines these methods inside an `impl TokenStore`. `forward!(store: get insert)` calls the same
/// methods of `self.store`.
macro_rules! forward {
    ($field:ident: $($method:ident)+) => { $( $crate::forward::forward!(@ $field $method); )+ };
    (@ $f:ident get) => { $crate::forward::forward!(@@ $f get(id: TokenId) -> Snapshot<Option<StoredToken>>); };
    (@ $f:ident insert) => { $crate::forward::forward!(@@ $f insert(token: &StoredToken, limit: Option<u32>, event: &Event) -> ChangeSeq); };
    (@ $f:ident list) => { $crate::forward::forward!(@@ $f list(query: &ListQuery) -> ListPage); };
    (@ $f:ident update) => { $crate::forward::forward!(@@ $f update(change: &Change, event: &Event) -> ChangeSeq); };
    (@ $f:ident replace_digest) => { $crate::forward::forward!(@@ $f replace_digest(id: TokenId, expected: &Digest, secrets: &Secrets, event: &Event) -> ChangeSeq); };
    (@ $f:ident delete) => { $crate::forward::forward!(@@ $f delete(id: TokenId, expected: Option<Revision>, event: &Event) -> ChangeSeq); };
    (@ $f:ident delete_many) => { $crate::forward::forward!(@@ $f delete_many(owner: Option<&Owner>, ids: &[TokenId], event: &Event) -> Deleted); };
    (@ $f:ident delete_owner) => { $crate::forward::forward!(@@ $f delete_owner(owner: &Owner, event: &Event) -> BulkResult); };
    (@ $f:ident revoke_owner) => { $crate::forward::forward!(@@ $f revoke_owner(owner: &Owner, issued_before: Option<Timestamp>, at: Timestamp, event: &Event) -> BulkResult); };
    (@ $f:ident revoke_everyone) => { $crate::forward::forward!(@@ $f revoke_everyone(issued_before: Option<Timestamp>, at: Timestamp, limit: u32, event: &Event) -> BulkResult); };
    (@ $f:ident log_owner_change) => { $crate::forward::forward!(@@ $f log_owner_change(owner: &Owner, event: &Event) -> ChangeSeq); };
    (@ $f:ident record_uses) => { $crate::forward::forward!(@@ $f record_uses(uses: &[TokenUse]) -> u64); };
    (@ $f:ident prune) => { $crate::forward::forward!(@@ $f prune(ended_before: Timestamp, limit: u32, event: &Event) -> u64); };
    (@ $f:ident prune_log) => { $crate::forward::forward!(@@ $f prune_log(written_before: Timestamp, limit: u32) -> u64); };
    (@ $f:ident changes) => { $crate::forward::forward!(@@ $f changes(from: Option<LogPosition>, limit: u32) -> ChangeBatch); };
    (@ $f:ident audit) => { $crate::forward::forward!(@@ $f audit(query: &AuditQuery) -> AuditPage); };
    (@ $f:ident ping) => { $crate::forward::forward!(@@ $f ping() -> ()); };
    (@@ $f:ident $method:ident($($argument:ident: $type:ty),*) -> $out:ty) => {
        async fn $method(&self, $($argument: $type),*) -> Result<$out, StoreError> {
            TokenStore::$method(&self.$f, $($argument),*).await
        }
    };
}

pub(crate) use forward;
