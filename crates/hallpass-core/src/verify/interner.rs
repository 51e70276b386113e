use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::compiled_scopes::CompiledScopes;
use crate::owner::Owner;
use crate::scope::ScopeSet;

/// What loaded tokens share: the owner's id, and the scopes, where they are the same. For caches.
#[derive(Debug, Default)]
pub struct Interner {
    owners: Shared<str>,
    scopes: Shared<CompiledScopes>,
}

impl Interner {
    /// An empty pool.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn owner(&self, owner: Owner) -> Owner {
        let known =
            self.owners.get(owner.as_str(), |known| known == owner.as_str(), || owner.as_arc());
        Owner::from_arc(known)
    }

    pub(super) fn scopes(&self, scopes: ScopeSet) -> Arc<CompiledScopes> {
        let hash = self.scopes.hasher.hash_one(&scopes);
        self.scopes.get_hashed(
            hash,
            |known| *known.scopes() == scopes,
            || Arc::new(CompiledScopes::new(scopes.clone())),
        )
    }
}

/// Values by their hash, as long as anybody holds them.
#[derive(Debug)]
struct Shared<T: ?Sized> {
    known: Mutex<Entries<T>>,
    hasher: RandomState,
}

#[derive(Debug)]
struct Entries<T: ?Sized> {
    by_hash: HashMap<u64, Weak<T>>,
    /// At this size, those that nobody holds any more are thrown out.
    sweep_at: usize,
}

/// Below this, nothing is swept.
const FEW: usize = 1024;

impl<T: ?Sized> Default for Shared<T> {
    fn default() -> Self {
        let entries = Entries { by_hash: HashMap::new(), sweep_at: FEW };
        Self { known: Mutex::new(entries), hasher: RandomState::new() }
    }
}

impl<T: ?Sized> Shared<T> {
    fn get<K: Hash + ?Sized>(
        &self,
        key: &K,
        is_same: impl FnOnce(&T) -> bool,
        make: impl FnOnce() -> Arc<T>,
    ) -> Arc<T> {
        self.get_hashed(self.hasher.hash_one(key), is_same, make)
    }

    fn get_hashed(
        &self,
        hash: u64,
        is_same: impl FnOnce(&T) -> bool,
        make: impl FnOnce() -> Arc<T>,
    ) -> Arc<T> {
        // One map operation at a time: a panic elsewhere leaves nothing half done.
        let mut entries = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = entries.by_hash.get(&hash).and_then(Weak::upgrade)
            && is_same(&known)
        {
            return known;
        }
        let new = make();
        // Another value of this hash keeps its holders; it is merely not shared any more.
        entries.by_hash.insert(hash, Arc::downgrade(&new));
        if entries.by_hash.len() >= entries.sweep_at {
            entries.by_hash.retain(|_, known| known.strong_count() > 0);
            entries.sweep_at = (entries.by_hash.len() * 2).max(FEW);
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_equal_is_kept_once_and_only_while_it_is_held() {
        let pool = Interner::new();
        let set = |scope: &str| ScopeSet::parse([scope]).unwrap();
        let first = pool.scopes(set("jobs"));
        assert!(Arc::ptr_eq(&first, &pool.scopes(set("jobs"))));
        assert!(!Arc::ptr_eq(&first, &pool.scopes(set("projects"))));
        for other in 0..10 * FEW {
            pool.scopes(set(&format!("jobs:{other}")));
        }
        assert!(pool.scopes.known.lock().unwrap().by_hash.len() <= FEW);
        assert!(Arc::ptr_eq(&first, &pool.scopes(set("jobs"))), "it survives a sweep");
        let alice = || Owner::new("alice").unwrap();
        let (one, two) = (pool.owner(alice()), pool.owner(alice()));
        assert!(std::ptr::eq(one.as_str(), two.as_str()));
    }
}
