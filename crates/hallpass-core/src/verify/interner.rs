//! An interner for the parts that cached tokens have in common.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::compiled_scopes::CompiledScopes;
use crate::owner::Owner;
use crate::scope::ScopeSet;

/// An interner for the owners and the sets of scopes of cached tokens.
///
/// Tokens with the same owner or the same scopes share one allocation. That saves memory, and lets
/// tokens share the memo of compared scopes.
#[derive(Debug, Default)]
pub struct Interner {
    owners: Shared<str>,
    scopes: Shared<CompiledScopes>,
}

impl Interner {
    /// Creates an empty interner.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns an equal owner whose text is shared.
    pub(super) fn owner(&self, owner: Owner) -> Owner {
        let known =
            self.owners.get(owner.as_str(), |known| known == owner.as_str(), || owner.as_arc());
        Owner::from_arc(known)
    }

    /// Returns shared compiled scopes that equal `scopes`.
    pub(super) fn scopes(&self, scopes: ScopeSet) -> Arc<CompiledScopes> {
        let hash = self.scopes.hasher.hash_one(&scopes);
        self.scopes.get_hashed(
            hash,
            |known| *known.scopes() == scopes,
            || Arc::new(CompiledScopes::new(scopes.clone())),
        )
    }
}

/// A table of shared values, by hash. It holds weak references, so that a value is freed with the
/// last token that uses it.
///
/// Sharing is only an optimisation: no caller relies on two equal values being the same allocation.
/// That keeps the table simple. It has one entry for each hash, so if two values have the same
/// hash, the newer one replaces the older one, which stays valid for its tokens but is no longer
/// shared. The hash is randomly keyed, so that nobody can choose owners that collide.
#[derive(Debug)]
struct Shared<T: ?Sized> {
    known: Mutex<Entries<T>>,
    hasher: RandomState,
}

/// The entries of the table.
#[derive(Debug)]
struct Entries<T: ?Sized> {
    by_hash: HashMap<u64, Weak<T>>,
    /// The number of entries at which the next sweep removes the freed values.
    ///
    /// After a sweep it is twice the number of live values. So the table is never larger than that,
    /// and a sweep, which visits every entry, costs constant time per insertion on average.
    sweep_at: usize,
}

/// The minimum number of entries before a sweep.
const MIN_SWEEP: usize = 1024;

impl<T: ?Sized> Default for Shared<T> {
    fn default() -> Self {
        let entries = Entries { by_hash: HashMap::new(), sweep_at: MIN_SWEEP };
        Self { known: Mutex::new(entries), hasher: RandomState::new() }
    }
}

impl<T: ?Sized> Shared<T> {
    /// Returns the shared value for a key, or the new one that `make` creates.
    fn get<K: Hash + ?Sized>(
        &self,
        key: &K,
        is_same: impl FnOnce(&T) -> bool,
        make: impl FnOnce() -> Arc<T>,
    ) -> Arc<T> {
        self.get_hashed(self.hasher.hash_one(key), is_same, make)
    }

    /// Returns the shared value for a hash if `is_same` confirms it, or the new one that `make`
    /// creates.
    fn get_hashed(
        &self,
        hash: u64,
        is_same: impl FnOnce(&T) -> bool,
        make: impl FnOnce() -> Arc<T>,
    ) -> Arc<T> {
        // Each update is a single map operation, so a panic cannot leave the map half updated.
        let mut entries = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = entries.by_hash.get(&hash).and_then(Weak::upgrade)
            && is_same(&known)
        {
            return known;
        }
        let new = make();
        // This may replace another value with the same hash, which is then no longer shared.
        entries.by_hash.insert(hash, Arc::downgrade(&new));
        if entries.by_hash.len() >= entries.sweep_at {
            entries.by_hash.retain(|_, known| known.strong_count() > 0);
            entries.sweep_at = (entries.by_hash.len() * 2).max(MIN_SWEEP);
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_shared_while_they_are_used() {
        let interner = Interner::new();
        let set = |scope: &str| ScopeSet::parse([scope]).unwrap();
        let first = interner.scopes(set("jobs"));
        assert!(Arc::ptr_eq(&first, &interner.scopes(set("jobs"))));
        assert!(!Arc::ptr_eq(&first, &interner.scopes(set("projects"))));
        for other in 0..10 * MIN_SWEEP {
            interner.scopes(set(&format!("jobs:{other}")));
        }
        assert!(interner.scopes.known.lock().unwrap().by_hash.len() <= MIN_SWEEP);
        assert!(
            Arc::ptr_eq(&first, &interner.scopes(set("jobs"))),
            "a used value must survive a sweep"
        );
        let alice = || Owner::new("alice").unwrap();
        let (one, two) = (interner.owner(alice()), interner.owner(alice()));
        assert!(std::ptr::eq(one.as_str(), two.as_str()));
    }
}
