use hallpass_core::TokenId;
use hallpass_core::store::{ChangeSeq, StoreError, StoredToken, TokenStore as _};
use hallpass_memory::MemoryStore;
use hallpass_testkit::{FaultsOn, FaultyStore};

pub(crate) type TestStore = FaultyStore<MemoryStore>;

pub(crate) fn test_store() -> TestStore {
    FaultyStore::new(MemoryStore::new())
}

/// The truth, past every fault.
pub(crate) trait Truth {
    async fn stored(&self, id: TokenId) -> Option<StoredToken>;

    /// How far the change log has come.
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

/// What goes wrong, for tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Unavailable,
    ReadOnly,
    Corrupt,
    /// It is done, and the answer is lost.
    LostAfter,
    /// It is not done, and nobody can tell.
    LostBefore,
    /// A read answers with this token instead.
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
