#![doc = include_str!("writing_a_store.md")]
#![doc = concat!("```\n", include_str!("your_store.rs"), "```\n")]
#![doc = include_str!("proving_a_store.md")]

#[doc(hidden)]
pub mod cases;
#[doc(hidden)]
pub mod histories;
mod macros;
#[doc(hidden)]
pub mod model;
mod place;
mod replicas;
#[doc(hidden)]
pub mod run;
pub mod samples;
#[cfg(test)]
mod self_test;
mod tries;
/// The store that the documentation shows.
#[cfg(test)]
pub mod your_store;

pub use self::{place::StoreUnderTest, replicas::Replicas};

#[cfg(test)]
mod documented_store {
    crate::store_conformance! {
        async fn fresh() -> crate::conformance::your_store::YourStore {
            crate::conformance::your_store::YourStore::default()
        }
    }
}
