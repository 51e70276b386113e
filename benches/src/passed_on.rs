//! Calls that a store around another one passes on as they are.

/// `passed_on!(field: verb verb ...)` within `impl TokenStore` writes these verbs, each asking the store in `self.field`.
macro_rules! passed_on {
    ($field:ident: $($verb:ident)+) => { $( $crate::passed_on::passed_on!(@ $field $verb); )+ };
    (@ $field:ident find) => { $crate::passed_on::passed_on!(@@ $field find(id: TokenId) -> Snapshot<Option<StoredToken>>); };
    (@ $field:ident insert) => { $crate::passed_on::passed_on!(@@ $field insert(token: &StoredToken, limit: Option<u32>) -> ChangeSeq); };
    (@ $field:ident list) => { $crate::passed_on::passed_on!(@@ $field list(query: &ListQuery) -> ListPage); };
    (@ $field:ident change) => { $crate::passed_on::passed_on!(@@ $field change(change: &Change) -> ChangeSeq); };
    (@ $field:ident rekey) => { $crate::passed_on::passed_on!(@@ $field rekey(id: TokenId, expected: &Digest, secrets: &Secrets) -> ChangeSeq); };
    (@ $field:ident delete) => { $crate::passed_on::passed_on!(@@ $field delete(id: TokenId, expected: Option<Revision>) -> ChangeSeq); };
    (@ $field:ident delete_many) => { $crate::passed_on::passed_on!(@@ $field delete_many(owner: Option<&Owner>, ids: &[TokenId]) -> Deleted); };
    (@ $field:ident delete_owner) => { $crate::passed_on::passed_on!(@@ $field delete_owner(owner: &Owner) -> BulkResult); };
    (@ $field:ident revoke_owner) => { $crate::passed_on::passed_on!(@@ $field revoke_owner(owner: &Owner, at: Timestamp) -> BulkResult); };
    (@ $field:ident announce) => { $crate::passed_on::passed_on!(@@ $field announce(owner: &Owner) -> ChangeSeq); };
    (@ $field:ident touch) => { $crate::passed_on::passed_on!(@@ $field touch(uses: &[TokenUse]) -> u64); };
    (@ $field:ident prune) => { $crate::passed_on::passed_on!(@@ $field prune(ended_before: Timestamp, limit: u32) -> u64); };
    (@ $field:ident changes) => { $crate::passed_on::passed_on!(@@ $field changes(from: Option<LogPosition>, limit: u32) -> ChangeBatch); };
    (@ $field:ident ping) => { $crate::passed_on::passed_on!(@@ $field ping() -> ()); };
    (@@ $field:ident $verb:ident($($argument:ident: $type:ty),*) -> $answer:ty) => {
        async fn $verb(&self, $($argument: $type),*) -> Result<$answer, StoreError> {
            self.$field.$verb($($argument),*).await
        }
    };
}

pub(crate) use passed_on;
