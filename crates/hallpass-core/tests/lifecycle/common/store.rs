use hallpass_core::TokenId;
use hallpass_core::store::{ChangeSeq, StoreError, StoredToken, TokenStore as _};
use hallpass_memory::MemoryStore;
use hallpass_testkit::{FaultsOn, FaultyStore};

pub(crate) type TestStore = FaultyStore<MemoryStore>;

pub(crate) fn test_store() -> TestStore {
    FaultyStore::new(MemoryStore::new())
}

/// Access to the store without the faults.
pub(crate) trait Truth {
    async fn stored(&self, id: TokenId) -> Option<StoredToken>;

    /// Returns the sequence number of the newest log entry.
    async fn head(&self) -> ChangeSeq;
}

impl Truth for TestStore {
    async fn stored(&self, id: TokenId) -> Option<StoredToken> {
        self.inner().get(id).await.unwrap().value
    }

    async fn head(&self) -> ChangeSeq {
        self.inner().changes(None, 0).await.unwrap().head.seq
    }
}

/// A fault of the store, for tables of test cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Unavailable,
    ReadOnly,
    Corrupt,
    /// The change is committed, but the answer is lost.
    LostAfter,
    /// The change is not committed, but the outcome is unknown to the caller.
    LostBefore,
    /// A read returns this token instead of the requested one.
    Another(TokenId),
}

impl Fault {
    pub(crate) fn befalls(self, on: FaultsOn<'_>) {
        match self {
            Self::Unavailable => on.fail(),
            Self::ReadOnly => on.fail_with(read_only),
            Self::Corrupt => on.fail_with(|| StoreError::corrupt("a row of another version")),
            Self::LostAfter => on.lose_answer(),
            Self::LostBefore => on.lose_call(),
            Self::Another(id) => on.answer_with(id),
        }
    }
}

pub(crate) fn read_only() -> StoreError {
    StoreError::read_only("a standby")
}
