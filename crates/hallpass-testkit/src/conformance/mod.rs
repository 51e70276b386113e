#![doc = include_str!("writing_a_store.md")]
#![doc = concat!("```\n", include_str!("your_store.rs"), "```\n")]
#![doc = include_str!("proving_a_store.md")]

#[doc(hidden)]
pub mod cases;
mod histories;
#[doc(hidden)]
pub mod lives;
mod macros;
#[doc(hidden)]
pub mod model;
mod nodes;
mod place;
#[cfg(test)]
mod proof;
#[doc(hidden)]
pub mod run;
pub mod samples;
/// The store of the documentation, which keeps what it shows.
#[cfg(test)]
pub mod your_store;

pub use self::{nodes::Nodes, place::StoreUnderTest};

#[cfg(test)]
mod the_store_of_the_documentation {
    crate::store_conformance! {
        async fn fresh() -> crate::conformance::your_store::YourStore {
            crate::conformance::your_store::YourStore::default()
        }
    }
}
