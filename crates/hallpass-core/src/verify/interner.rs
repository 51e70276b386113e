//! An interner for the sets of scopes that cached tokens have in common.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::compiled_scopes::CompiledScopes;
use crate::scope::ScopeSet;

/// An interner for the sets of scopes of cached tokens.
///
/// Tokens with the same scopes share one allocation. That saves memory, and lets them share the
/// memo of compared scopes. Owners are not shared: most have few tokens, and an entry here takes
/// more than the text of an owner.
///
/// It holds weak references, so that a set is freed with the last token that uses it. Sharing is
/// only an optimisation: no caller relies on two equal sets being the same allocation. That keeps
/// the table simple. It has one entry for each hash, so if two sets have the same hash, the newer
/// one replaces the older one, which stays valid for its tokens but is no longer shared. The hash
/// is randomly keyed, so that an attacker cannot choose scopes that collide.
#[derive(Debug)]
pub struct Interner {
    known: Mutex<Entries>,
    hasher: RandomState,
}

/// The entries of the table.
#[derive(Debug)]
struct Entries {
    by_hash: HashMap<u64, Weak<CompiledScopes>>,
    /// The number of entries at which the next sweep removes the freed sets.
    ///
    /// After a sweep it is twice the number of live sets. So the table is never larger than that,
    /// and a sweep, which visits every entry, costs constant time per insertion on average.
    sweep_at: usize,
}

/// The minimum number of entries before a sweep.
const MIN_SWEEP: usize = 1024;

impl Default for Interner {
    fn default() -> Self {
        let entries = Entries { by_hash: HashMap::new(), sweep_at: MIN_SWEEP };
        Self { known: Mutex::new(entries), hasher: RandomState::new() }
    }
}

impl Interner {
    /// Creates an empty interner.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns shared compiled scopes that equal `scopes`.
    pub(super) fn scopes(&self, scopes: ScopeSet) -> Arc<CompiledScopes> {
        let hash = self.hasher.hash_one(&scopes);
        // Each update is a single map operation, so a panic cannot leave the map half updated.
        let mut entries = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = entries.by_hash.get(&hash).and_then(Weak::upgrade)
            && *known.scopes() == scopes
        {
            return known;
        }
        let new = Arc::new(CompiledScopes::new(scopes));
        // This may replace another set with the same hash, which is then no longer shared.
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
    fn equal_sets_are_shared_while_they_are_used() {
        let interner = Interner::new();
        let set = |scope: &str| ScopeSet::parse([scope]).unwrap();
        let first = interner.scopes(set("jobs"));
        assert!(Arc::ptr_eq(&first, &interner.scopes(set("jobs"))));
        assert!(!Arc::ptr_eq(&first, &interner.scopes(set("projects"))));
        for other in 0..10 * MIN_SWEEP {
            interner.scopes(set(&format!("jobs:{other}")));
        }
        assert!(interner.known.lock().unwrap().by_hash.len() <= MIN_SWEEP);
        assert!(
            Arc::ptr_eq(&first, &interner.scopes(set("jobs"))),
            "a used set must survive a sweep"
        );
    }
}
