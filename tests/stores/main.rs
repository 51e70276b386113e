//! Runs the conformance suite on every store.

mod postgres;

mod redis;

mod memory {
    use hallpass_memory::MemoryStore;

    hallpass_testkit::store_conformance! {
        async fn fresh() -> MemoryStore {
            MemoryStore::new()
        }
    }
}

mod sqlite {
    use hallpass_sqlite::SqliteStore;
    use hallpass_testkit::conformance::StoreUnderTest;
    use tempfile::TempDir;

    /// A directory with a file that each handle opens.
    struct Directory(TempDir);

    impl StoreUnderTest for Directory {
        type Store = SqliteStore;

        async fn fresh() -> Self {
            Self(tempfile::tempdir().expect("a directory"))
        }

        async fn node(&self) -> SqliteStore {
            SqliteStore::open(self.0.path().join("tokens.db")).await.expect("a store")
        }
    }

    hallpass_testkit::store_conformance!(Directory);
}
