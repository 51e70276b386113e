//! A memory of what the log has already named.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// The maximum number of keys that are remembered. It is limited because clients can cause lines
/// with any number of different keys. Once it is reached, nothing more is logged.
const MAX: usize = 1000;

/// The keys of lines that were written to the log. Each key is logged once. Clones share the keys.
#[derive(Clone, Debug)]
pub struct LogOnce<T>(Arc<Mutex<HashSet<T>>>);

impl<T: Eq + Hash> LogOnce<T> {
    /// Returns whether to log this key, which is the case the first time.
    pub fn insert<Q>(&self, key: &Q) -> bool
    where
        T: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = T> + ?Sized,
    {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.len() < MAX && !known.contains(key) && known.insert(key.to_owned())
    }
}

impl<T> Default for LogOnce<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_logged_once_up_to_a_limit() {
        let lines = LogOnce::<String>::default();
        let news = || (0..2 * MAX).filter(|number| lines.insert(&*number.to_string())).count();
        assert_eq!((news(), news()), (MAX, 0));
        assert!(!lines.clone().insert("0"), "clones share the keys");
    }
}
