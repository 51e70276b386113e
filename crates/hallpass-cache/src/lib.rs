//! The cache in front of any [Hallpass](https://docs.rs/hallpass) token store, and its coherence across nodes.
//!
//! The promise: once a change (a revocation, say) has returned on one node, that node never accepts the old
//! state again, and no other node accepts it for longer than the bound B ([`CacheSettings::bound`], 2 s by
//! default), whatever breaks between them. A node that cannot prove its records to be fresh within B asks the store.
//!
//! Three ideas carry it:
//!
//! 1. The store numbers every change that matters, in the order of commits.
//! 2. Each record comes with the number that its snapshot had. It is usable only while that is not below the last
//!    change applied to its stripe, so nothing has to be removed from the cache in time.
//! 3. One task asks the store for changes, and each answer renews a lease. Without a lease, a record is usable for
//!    B after it was asked for.
//!
//! What guards each step of this, what would happen without, and the test that shows it, is listed in
//! `docs/guards.md` of the repository.

mod cached;
mod entry;
mod flight;
mod follow;
mod guards;
mod inner;
mod measure;
mod moment;
mod negative;
mod order;
mod positive;
mod settings;
mod sizes;
mod stale_use;
mod standings;
mod store_clock;
mod stripes;
mod sync;
#[cfg(test)]
mod tests;
mod turns;

pub use self::{
    cached::Cached,
    settings::{CacheSettings, SettingsError},
};
