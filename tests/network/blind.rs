use hallpass_core::store::{
    BulkResult, Change, ChangeBatch, ChangeSeq, Deleted, ListPage, ListQuery, LogPosition, Secrets,
    Snapshot, StoreError, StoredToken, TokenStore, TokenUse,
};
use hallpass_core::{Digest, Owner, Revision, TokenId};
use jiff::Timestamp;

/// A store whose change log has no nonces: numbers alone, as one would write it at first.
pub(crate) struct Blind<S>(pub(crate) S);

impl<S: TokenStore> TokenStore for Blind<S> {
    async fn changes(
        &self,
        from: Option<LogPosition>,
        limit: u32,
    ) -> Result<ChangeBatch, StoreError> {
        let mut changes = self.0.changes(from, limit).await?;
        changes.head.nonce = 0;
        changes.lines.iter_mut().for_each(|line| line.at.nonce = 0);
        Ok(changes)
    }

    async fn insert(
        &self,
        token: &StoredToken,
        limit: Option<u32>,
    ) -> Result<ChangeSeq, StoreError> {
        self.0.insert(token, limit).await
    }

    async fn find(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        self.0.find(id).await
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        self.0.list(query).await
    }

    async fn change(&self, change: &Change) -> Result<ChangeSeq, StoreError> {
        self.0.change(change).await
    }

    async fn rekey(
        &self,
        id: TokenId,
        expected: &Digest,
        secrets: &Secrets,
    ) -> Result<ChangeSeq, StoreError> {
        self.0.rekey(id, expected, secrets).await
    }

    async fn delete(
        &self,
        id: TokenId,
        expected: Option<Revision>,
    ) -> Result<ChangeSeq, StoreError> {
        self.0.delete(id, expected).await
    }

    async fn delete_many(
        &self,
        owner: Option<&Owner>,
        ids: &[TokenId],
    ) -> Result<Deleted, StoreError> {
        self.0.delete_many(owner, ids).await
    }

    async fn delete_owner(&self, owner: &Owner) -> Result<BulkResult, StoreError> {
        self.0.delete_owner(owner).await
    }

    async fn revoke_owner(&self, owner: &Owner, at: Timestamp) -> Result<BulkResult, StoreError> {
        self.0.revoke_owner(owner, at).await
    }

    async fn announce(&self, owner: &Owner) -> Result<ChangeSeq, StoreError> {
        self.0.announce(owner).await
    }

    async fn touch(&self, uses: &[TokenUse]) -> Result<u64, StoreError> {
        self.0.touch(uses).await
    }

    async fn prune(&self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.0.prune(ended_before, limit).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.0.ping().await
    }

    async fn nudged(&self, seen: LogPosition) {
        self.0.nudged(seen).await;
    }
}
