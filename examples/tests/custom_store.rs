//! The store of the example `custom_store` fulfils the contract of the trait.

#[path = "../custom_store.rs"]
#[expect(dead_code, unreachable_pub, reason = "the service of the example is not started here")]
mod custom_store;

use hallpass::MemoryStore;

hallpass_testkit::store_conformance! {
    async fn fresh() -> custom_store::Maintained<MemoryStore> {
        custom_store::Maintained::default()
    }
}
